from __future__ import annotations

import hashlib

import httpx
import pytest
from playwright.sync_api import Browser

from tests.browser import VIEWS, View, accessibility_faults, looking, sideways_scroll
from tests.clio_sync.sandbox.upload import reserve, upload
from tests.sandbox_process import SandboxProcess


def test_the_link_into_clio_lands_on_the_document(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    document = upload(clio, matter_id, b"bytes", name="Letter <of> intent.pdf")
    page = sandbox.http.get(f"{sandbox.api_url}/documents/{document['id']}")
    listed = sandbox.http.get(f"{sandbox.api_url}/matters/{matter_id}")

    for text in (page.text, listed.text):
        assert "Letter &lt;of&gt; intent.pdf" in text
        assert hashlib.sha256(b"bytes").hexdigest() in text
        assert "Alice Harrow" in text
        assert "2026-0042" in text
        assert "Sandbox." in text
    assert sandbox.http.get(f"{sandbox.api_url}/nc/").status_code == 200


def test_unfinished_and_trashed_documents_are_not_shown(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    unfinished = reserve(clio, matter_id, name="Unfinished.pdf")["id"]
    trashed = upload(clio, matter_id, b"1", name="Trashed.pdf")["id"]
    clio.delete(f"/documents/{trashed}")
    listed = sandbox.http.get(f"{sandbox.api_url}/matters/{matter_id}").text

    assert "Unfinished.pdf" not in listed
    assert "Trashed.pdf" not in listed
    for document_id in (unfinished, trashed, 1):
        assert sandbox.http.get(f"{sandbox.api_url}/documents/{document_id}").status_code == 404


def test_pages_run_nothing_that_was_not_shipped(sandbox: SandboxProcess) -> None:
    home = sandbox.http.get(sandbox.api_url)

    assert "Harrow &amp; Quill LLP" in home.text
    assert "default-src 'none'" in home.headers["content-security-policy"]
    assert "<style" not in home.text
    assert " style=" not in home.text
    for asset in ("sandbox.css", "nc.js", "icon.svg"):
        assert sandbox.http.get(f"{sandbox.api_url}/assets/{asset}").status_code == 200
    assert sandbox.http.get(f"{sandbox.api_url}/assets/..%2fseed.py").status_code == 404


@pytest.mark.parametrize("view", [VIEWS[0], VIEWS[-1]], ids=str)
def test_a_person_finds_their_way_in_any_window(
    view: View, chromium: Browser, clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    """Consent and back, the firm, the matter, and Clio's own kind of link with the page in the fragment."""
    document = upload(clio, matter_id, b"bytes", name="A long name for a letter to the other side.docx")
    consent = sandbox.authorize_url(f"{sandbox.api_url}/nc/", state="s1")
    with looking(chromium, view, base_url=sandbox.api_url) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        for url in (consent, "/", f"/matters/{matter_id}", f"/documents/{document['id']}"):
            page.goto(url)
            page.wait_for_load_state()
            assert accessibility_faults(page) == []
            assert sideways_scroll(page) == 0
        page.goto(f"/nc/#/matters/{matter_id}")
        page.wait_for_url(f"**/matters/{matter_id}")
        page.goto(consent)
        page.get_by_label("Bob Quill").check()
        page.get_by_role("button", name="Allow").click()
        page.wait_for_url("**/nc/?code=*&state=s1")
        assert complaints == []
