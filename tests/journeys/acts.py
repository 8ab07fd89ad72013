"""What people do at their browsers, in the words they would use for it, each seen to have happened."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from portal.demo.examples import FOLDER
from portal.stack.place import Place
from tests.journeys.desk import Desk

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
LETTER = FOLDER / "drafts" / "Engagement letter - mutual wills.docx"
MATTER = "2026-0044"
FOLDER_AT_CLIO = "Correspondence"


@dataclass(frozen=True)
class File:
    """A Word document of the examples under a name that no other journey uses."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @classmethod
    def letter(cls, about: str, *, instead: tuple[str, str] | None = None) -> File:
        """The engagement letter; `instead` replaces one word by another, for a new version."""
        content = LETTER.read_bytes()
        return cls(f"Engagement letter - {about}.docx", _reworded(content, *instead) if instead else content)


def connect(dana: Desk, place: Place, *, decision: str = "Allow") -> None:
    """From the list of connections to Clio's consent page and back."""
    page = dana.page
    page.goto("/clio/")
    form = page.locator("form", has=page.get_by_role("button", name="Go to Clio"))
    form.get_by_label(re.compile("sandbox", re.IGNORECASE)).check()
    form.get_by_role("button", name="Go to Clio").click()
    _consent(page, place, decision)


def reconnect(dana: Desk, place: Place) -> None:
    """From the list of connections, which is open."""
    dana.page.get_by_role("button", name="Reconnect").click()
    _consent(dana.page, place, "Allow")


def _consent(page: Page, place: Place, decision: str) -> None:
    page.wait_for_url(f"{place.sandbox}/**")
    expect(page.get_by_role("heading", name=re.compile("^Allow Countersign"))).to_be_visible()
    page.get_by_role("button", name=decision, exact=True).click()
    page.wait_for_url(f"{place.site}/**")


def connections(dana: Desk) -> list[str]:
    """The connections that are listed, each with all that is said of it."""
    dana.page.goto("/clio/")
    expect(dana.page.get_by_role("heading", name="Connections", exact=True)).to_be_visible()
    return dana.page.locator("article[id^=connection-]").all_text_contents()


def submit(carol: Desk, file: File, *, title: str, drag: bool = False) -> str:
    """By the form, with a matter found by typing. Returns the address of the draft."""
    page = carol.page
    page.goto("/drafts/new/")
    _drop(page, file) if drag else _choose(page, file)
    expect(page.locator(".dropzone-name")).to_contain_text(file.name)
    page.get_by_role("textbox", name="Matter").press_sequentially("2026-00", delay=20)
    found = page.locator("#matter-options").get_by_role("radio")
    expect(found.nth(3)).to_be_attached()
    page.get_by_role("textbox", name="Matter").press_sequentially(MATTER.removeprefix("2026-00"), delay=20)
    expect(found).to_have_count(1)
    found.check()
    page.get_by_role("main").get_by_label(re.compile("^Folder")).select_option(label=FOLDER_AT_CLIO)
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    return page.url


def find(desk: Desk, title: str, *, tab: str = "Waiting") -> None:
    """From the queue to the review screen."""
    page = desk.page
    page.goto("/")
    page.get_by_role("navigation", name="Queue").get_by_role("link", name=tab).click()
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def approve(desk: Desk) -> None:
    """With both statements, on the review screen that is open."""
    tick_and_approve(desk)
    expect(desk.page.get_by_role("heading", name="Filing")).to_be_visible()


def tick_and_approve(desk: Desk) -> None:
    agree(open_dialog(desk, "Approve…"))


def agree(dialog: Locator) -> None:
    for statement in dialog.get_by_role("checkbox").all():
        statement.check()
    dialog.get_by_role("button", name="Approve and file").click()


def return_for_changes(desk: Desk, reason: str) -> None:
    dialog = open_dialog(desk, "Return…")
    dialog.get_by_label("Reason").select_option(index=1)
    dialog.get_by_label("What is wrong").fill(reason)
    dialog.get_by_role("button", name="Return").click()
    expect(desk.page.get_by_text("Returned to the submitter.")).to_be_visible()


def add_version(desk: Desk, file: File, *, note: str) -> None:
    """On the review screen that is open."""
    dialog = open_dialog(desk, "Upload a new version…")
    _choose(desk.page, file)
    dialog.get_by_label("What changed").fill(note)
    dialog.get_by_role("button", name="Upload").click()
    expect(desk.page.get_by_text("Earlier decisions do not apply to it.")).to_be_visible()


def open_dialog(desk: Desk, button: str) -> Locator:
    desk.page.get_by_role("button", name=button).click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog


def status(desk: Desk) -> Locator:
    """The chip that says how it stands."""
    return desk.page.locator("main .status").first


def story(erin: Desk, draft: str) -> list[str]:
    """What the log's own page tells of a draft, oldest first, as names of events."""
    page = erin.page
    page.goto("/")
    form = page.get_by_role("form", name="Choose entries")
    form.get_by_label("Id").fill(draft.rstrip("/").rpartition("/")[2])
    form.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="Show all")).to_be_visible()
    return list(reversed(page.locator("td[data-label=Event]").all_text_contents()))


def _choose(page: Page, file: File) -> None:
    page.locator("input[type=file]").first.set_input_files(
        {"name": file.name, "mimeType": DOCX, "buffer": file.content}
    )


def _drop(page: Page, file: File) -> None:
    """As a person drags it out of a folder."""
    dragged = page.evaluate_handle(
        """([name, type, content]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            const dragged = new DataTransfer();
            dragged.items.add(new File([bytes], name, { type }));
            return dragged;
        }""",
        [file.name, DOCX, base64.b64encode(file.content).decode()],
    )
    page.dispatch_event(".dropzone", "dragover", {"dataTransfer": dragged})
    page.dispatch_event(".dropzone", "drop", {"dataTransfer": dragged})


def _reworded(content: bytes, old: str, new: str) -> bytes:
    """The same Word file with other words in it."""
    rewritten = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(rewritten, "w") as after:
        for part in before.infolist():
            text = before.read(part)
            after.writestr(part, text.replace(old.encode(), new.encode()))
    assert rewritten.getvalue() != content
    return rewritten.getvalue()
