from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.formats import FindingCode, Reason, Refused, check_name
from reviews.formats.names import MAX_NAME_BYTES, composed

REFUSED = [
    ("", "no name"),
    ("   ", "no name"),
    ("...", "no name"),
    ("../../etc/passwd", "/"),
    ("..\\..\\boot.ini", "\\"),
    ("C:evil.docx", ":"),
    ("a*b.docx", "*"),
    ("what?.docx", "?"),
    ('say "x".docx', '"'),
    ("a<b>.docx", "<"),
    ("a|b.docx", "|"),
    ("nul\x00.docx", "U+0000"),
    ("two\r\nlines.docx", "U+000D"),
    ("tab\there.docx", "U+0009"),
    ("escape\x1b[31m.docx", "U+001B"),
    ("c1\x85.docx", "U+0085"),
    ("line\u2028break.docx", "U+2028"),
    ("exe.\u202excod.docx", "reading direction"),
    ("a\u202db.docx", "reading direction"),
    ("iso\u2066late\u2069.docx", "reading direction"),
    ("mark\u200f.docx", "reading direction"),
    ("zero\u200bwidth.docx", "invisible"),
    ("join\u200der.docx", "invisible"),
    ("bom\ufeff.docx", "invisible"),
    ("soft\u00adhyphen.docx", "invisible"),
    ("tag\U000e0041.docx", "invisible"),
    ("variation\ufe00.docx", "invisible"),
    ("hangul\u3164.docx", "invisible"),
    ("braille\u2800.docx", "invisible"),
    ("private\ue000.docx", "no agreed meaning"),
    ("nobreak\u00a0space.docx", "unusual kind of space"),
    ("ideographic\u3000space.docx", "unusual kind of space"),
    (".hidden.docx", "begins with a full stop"),
    (" lead.docx", "begins with a space"),
    ("trail.docx ", "ends with a space or a full stop"),
    ("trail.docx.", "ends with a space or a full stop"),
    ("CON.docx", "Windows keeps the name CON"),
    ("con", "Windows keeps the name CON"),
    ("Lpt1.tar.docx", "Windows keeps the name LPT1"),
    ("com¹.docx", "Windows keeps the name COM¹"),
    ("aux .docx", "Windows keeps the name AUX"),
    (unicodedata.normalize("NFD", "Résumé.docx"), "not Unicode NFC"),
    ("x" * (MAX_NAME_BYTES - 4) + ".docx", "too long"),
    ("é" * 100 + ".docx", "too long"),
]

ACCEPTED = [
    "Engagement letter.docx",
    "Résumé of the hearing – final (2).pdf",
    "=cmd.txt",
    "{{7-7}} & {% x %}.md",
    "O'Brien v. Smith & Sons, No. 42.docx",
    "委任状.docx",
    "Договор.docx",
    "συμφωνία.pdf",
    "عقد.pdf",
    "merger 🎉.txt",
    "CONTRACT.docx",
    "console.txt",
    "no-ending",
    "x" * (MAX_NAME_BYTES - 5) + ".docx",
]


@pytest.mark.parametrize(("name", "says"), REFUSED)
def test_a_misleading_name_is_refused_and_the_sentence_says_which_part(name: str, says: str) -> None:
    with pytest.raises(Refused) as caught:
        check_name(name)
    assert caught.value.code is Reason.NAME
    assert says in caught.value.sentence and caught.value.sentence.isprintable()


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_honest_name_is_accepted_without_warning(name: str) -> None:
    assert check_name(name) == ()


@pytest.mark.parametrize("name", ["p\u0430yment.docx", "\u0391greement.docx", "Sc\u043epe of w\u043erk.pdf"])
def test_letters_of_two_scripts_in_one_word_draw_a_warning(name: str) -> None:
    (warning,) = check_name(name)
    assert warning.code is FindingCode.CONFUSABLE_NAME and "may look like another name" in warning.sentence


def test_two_scripts_in_two_words_are_no_cause_for_warning() -> None:
    assert check_name("Contract Договор.docx") == ()


def test_a_name_from_a_mac_can_be_composed_before_the_check() -> None:
    assert check_name(composed(unicodedata.normalize("NFD", "Résumé.docx"))) == ()


@given(st.text(max_size=80))
def test_any_text_is_either_refused_or_safe_to_show(name: str) -> None:
    sentence = ""
    try:
        check_name(name)
    except Refused as refusal:
        sentence = refusal.sentence
    safe = (
        name.isprintable()
        and "/" not in name
        and len(name.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES
    )
    assert sentence.isprintable() and (sentence or safe)
