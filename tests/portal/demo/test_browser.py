from __future__ import annotations

import httpx
import pytest

from portal.demo.browser import Page, Unexpected, read

HTML = """
<head><title>Not to be read</title></head>
<form action="/search"><input name="q"></form>
<form method="post" action="approve/">
  <input type="hidden" name="csrfmiddlewaretoken" value="t0k&amp;n">
  <input type="checkbox" name="agreed" value="first">
  <input type="checkbox" name="agreed" value="second" checked>
  <input type="radio" name="user_id" value="1"><input type="radio" name="user_id" value="2" checked>
  <select name="reason"><option value="">Choose</option><option value="facts">Facts</option></select>
  <select name="region">
    <option value="us">US</option><option value="sandbox" selected>Sandbox</option>
  </select>
  <textarea name="note">As &lt;discussed&gt;</textarea>
  <input name="off" value="x" disabled>
  <button name="decision" value="allow">Allow</button><button name="decision" value="decline">Decline</button>
</form>
"""


@pytest.fixture
def page() -> Page:
    request = httpx.Request("GET", "http://localhost/drafts/1/")
    return read(httpx.Response(200, html=HTML, request=request))


def test_an_untouched_form_sends_what_a_browser_would(page: Page) -> None:
    assert page.form_to("approve/").filled({}) == {
        "csrfmiddlewaretoken": "t0k&n",
        "agreed": "second",
        "user_id": "2",
        "reason": "",
        "region": "sandbox",
        "note": "As <discussed>",
    }


def test_filling_in_replaces_and_adds(page: Page) -> None:
    form = page.form("decision", "allow")
    sent = form.filled({"agreed": form.choices["agreed"], "decision": "allow", "note": "Read."})
    assert sent["agreed"] == ["first", "second"]
    assert sent["decision"] == "allow"
    assert sent["note"] == "Read."


def test_a_missing_form_is_told_with_the_words_of_the_page(page: Page) -> None:
    with pytest.raises(Unexpected, match=r"drafts/1/ \(200\) has no form with 'password': .*Allow Decline"):
        page.form("password")
    assert "Not to be read" not in page.words()
