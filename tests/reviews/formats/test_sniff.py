from __future__ import annotations

import pytest

from reviews.formats import MediaType, Reason
from tests.reviews.formats.made import docx, examine, honest_entries, pdf, raw_zip, refusal

HTML = b"<!doctype html><title>t</title><p>Hello"
EXE = b"MZ\x90\x00\x03\x00\x00\x00" + b"\0" * 100


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.docx", docx(), MediaType.DOCX),
        ("a.DOCX", docx(), MediaType.DOCX),
        ("a.pdf", pdf(), MediaType.PDF),
        ("a.md", b"# Hi", MediaType.MARKDOWN),
        ("a.markdown", b"plain words", MediaType.MARKDOWN),
        ("a.md", b"<!-- a note -->\n# Hi", MediaType.MARKDOWN),
        ("a.txt", b"Hi", MediaType.TEXT),
        ("a.txt", b"\xef\xbb\xbfHi", MediaType.TEXT),
        ("a.txt", b"MZ Holdings Ltd. writes to you.", MediaType.TEXT),
        ("a.txt", "Überweisung".encode(), MediaType.TEXT),
        ("a.html", HTML, MediaType.HTML),
        ("a.htm", b"\n\n  <p>A fragment</p>", MediaType.HTML),
        ("a.html", b"<?xml version='1.0'?><html><p>x</p></html>", MediaType.HTML),
        ("a.b.c.html", b"<h1>x</h1>", MediaType.HTML),
    ],
)
def test_name_and_content_that_agree_give_the_kind(name: str, data: bytes, kind: MediaType) -> None:
    assert examine(name, data).media_type is kind


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.docx", pdf()),
        ("a.docx", EXE),
        ("a.docx", HTML),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600),
        ("a.docx", b"plain words"),
        ("a.pdf", docx()),
        ("a.pdf", b"\n" + pdf()),
        ("a.pdf", HTML),
        ("a.pdf", EXE),
        ("a.txt", pdf()),
        ("a.txt", docx()),
        ("a.txt", EXE),
        ("a.txt", HTML),
        ("a.txt", b"{\\rtf1 hello}"),
        ("a.txt", b"#!/bin/sh\nrm -rf /"),
        ("a.txt", b"\x89PNG\r\n\x1a\n" + b"\0" * 20),
        ("a.txt", b"\x01\x02\x03"),
        ("a.md", HTML),
        ("a.md", b"GIF89a" + b"\0" * 20),
        ("a.html", b"plain words"),
        ("a.html", b"<svg onload=alert(1)>"),
        ("a.html", b"<?php echo 1 ?>"),
        ("a.html", docx()),
        ("a.html", b"\x7fELF" + b"\0" * 40),
    ],
)
def test_name_and_content_that_disagree_are_refused(name: str, data: bytes) -> None:
    refused = refusal(name, data)
    assert refused.code is Reason.MISMATCH and "The name says" in refused.sentence


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.doc", "Save it as .docx"),
        ("a.docm", "with macros"),
        ("a.rtf", "Save it as .docx"),
        ("a.odt", "Save it as .docx"),
        ("a.xlsx", "Print it to PDF"),
        ("a.zip", "one by one"),
        ("a.exe", "ends in .exe"),
        ("a.docx.exe", "ends in .exe"),
        ("README", "no ending"),
        ("a.a b", "no ending"),
    ],
)
def test_other_endings_are_refused_with_advice(name: str, says: str) -> None:
    refused = refusal(name, b"anything at all")
    assert refused.code is Reason.EXTENSION and says in refused.sentence


@pytest.mark.parametrize("name", ["a.docx", "a.pdf", "a.md", "a.txt", "a.html"])
def test_an_empty_file_is_refused_as_empty(name: str) -> None:
    assert refusal(name, b"").code is Reason.EMPTY


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf", pdf() + docx()),
        ("a.pdf", pdf() + b"PK\x05\x06" + b"\0" * 18),
        ("a.docx", docx() + pdf()),
        ("a.docx", docx() + b"x"),
        ("a.txt", b"Dear Sir\n%PDF-1.7\n..."),
    ],
)
def test_a_file_of_two_kinds_at_once_is_refused(name: str, data: bytes) -> None:
    assert refusal(name, data).code is Reason.POLYGLOT


def test_a_pdf_hidden_at_the_head_of_a_word_file_is_refused() -> None:
    data = raw_zip([(b"%PDF-1.7 trick", b"x"), *honest_entries()])
    assert refusal("a.docx", data).code is Reason.POLYGLOT
