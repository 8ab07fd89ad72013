"""Every sample of Clio's wire format, played by the real client to the real sandbox.

The sandbox's ledger says what was asked: the same method, path, query and body as in the sample, other ids
aside. Answers that no call of the portal draws from the sandbox are given word for word from the sample.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from clio_sync.api import ClioClient, Parent, PartPlan, Reservation, Secret, errors, oauth
from tests.clio_sync.api.clio_script import EXAMPLES, example
from tests.clio_sync.api.rehearsal import Rehearsal
from tests.clio_sync.api.test_samples import DOCX, flat

CALLBACK = "https://portal.example.test/clio/callback"
BODY = b"the approved bytes"


class Stage:
    """A sandbox, a client, and what the samples take for granted."""

    def __init__(self, at_clio: Rehearsal, clio: ClioClient, name: str) -> None:
        self.at_clio = at_clio
        self.sandbox = at_clio.sandbox
        self.clio = clio
        self.name = name
        self.matter_id = clio.matters(limit=1).first_page().items[0].id

    def reserve(self, **more: Any) -> Reservation:
        return self.clio.reserve_document(
            "Engagement letter - Okafor.docx", parent=Parent.matter(self.matter_id), **more
        )

    def transfer(self, room: Reservation) -> None:
        self.clio.transfer(room.put_url, room.put_headers, io.BytesIO(BODY), size=len(BODY))

    def file(self, **more: Any) -> Reservation:
        room = self.reserve(**more)
        self.transfer(room)
        self.clio.confirm_document(room.document_id, version_uuid=room.version_uuid)
        return room

    def says(self, route: str) -> None:
        """Let the sandbox answer the next call of this route in the sample's own words."""
        told = example(self.name)["response"]
        headers = {
            name: value for name, value in told["headers"].items() if name.startswith(("Retry", "WWW"))
        }
        status, body = told["status"], told.get("body")
        self.sandbox.fault(route, "status", status=status, body=body, headers=headers, count=2)


Play = Callable[[Stage], object]


def create(stage: Stage) -> object:
    category = next(iter(stage.clio.document_categories())).id
    properties = {"portal_draft": "draft-20917", "portal_version": "3"}
    return stage.reserve(content_type=DOCX, category_id=category, external_properties=properties)


def create_in_folder(stage: Stage) -> object:
    folder = next(iter(stage.clio.folders(matter_id=stage.matter_id))).id
    return stage.clio.reserve_document("Fee agreement.pdf", parent=Parent.folder(folder))


def create_new_version(stage: Stage) -> object:
    parent = Parent.document(stage.file().document_id)
    return stage.clio.reserve_document("Engagement letter - Okafor.docx", parent=parent)


def create_multipart(stage: Stage) -> Reservation:
    plans = [PartPlan(number, 6_000_000, "DMF1ucDxtqgxw5niaXcmYQ==") for number in (1, 2, 3)]
    return stage.clio.reserve_document(
        "Exhibit bundle.pdf", parent=Parent.matter(stage.matter_id), multiparts=plans
    )


def more_parts(stage: Stage) -> object:
    room = create_multipart(stage)
    parts = [PartPlan(51, 31457280)]
    return stage.clio.more_parts(room.document_id, version_uuid=room.version_uuid, multiparts=parts)


def confirm(stage: Stage) -> object:
    room = stage.reserve()
    stage.transfer(room)
    return stage.clio.confirm_document(room.document_id, version_uuid=room.version_uuid)


def confirm_nothing(stage: Stage) -> object:
    room = stage.reserve()
    return stage.clio.confirm_document(room.document_id, version_uuid=room.version_uuid)


def confirm_too_soon(stage: Stage) -> object:
    stage.sandbox.switch(confirm_times_out=1)
    return confirm(stage)


def put(stage: Stage) -> None:
    stage.transfer(stage.reserve(content_type=DOCX))


def put_late(stage: Stage) -> None:
    room = stage.reserve(content_type=DOCX)
    stage.sandbox.advance(601)
    stage.transfer(room)


def put_wrongly(stage: Stage) -> object:
    room = stage.reserve(content_type=DOCX)
    headers = [
        (name, "application/octet-stream" if "type" in name.lower() else value)
        for name, value in room.put_headers
    ]
    return stage.clio.transfer(room.put_url, tuple(headers), io.BytesIO(BODY), size=len(BODY))


def put_part(stage: Stage, body: bytes = BODY) -> object:
    digest = hashlib.md5(BODY, usedforsecurity=False).digest()
    plans = [PartPlan(1, len(BODY), base64.b64encode(digest).decode())]
    [part] = stage.clio.reserve_document(
        "Exhibit bundle.pdf", parent=Parent.matter(stage.matter_id), multiparts=plans
    ).parts
    return stage.clio.transfer(part.put_url, part.put_headers, io.BytesIO(body), size=len(body))


def find(stage: Stage) -> object:
    stage.file(external_properties={"portal_draft": "draft-20917"})
    [found] = stage.clio.find_documents(
        external_property_name="portal_draft",
        external_property_value="draft-20917",
        matter_id=stage.matter_id,
    )
    return found


def download(stage: Stage) -> object:
    into = io.BytesIO()
    stage.clio.download(stage.file().document_id, into, most=100)
    assert into.getvalue() == BODY
    return into


def agree(stage: Stage, decision: str = "allow") -> Secret:
    stage.sandbox.control("POST", "/app", {"redirect_uris": [CALLBACK]})
    address = oauth.authorize_url(stage.at_clio.app, redirect_uri=CALLBACK, state="n8Qd3vXk")
    back = stage.sandbox.returned(stage.sandbox.decide(address, decision=decision))
    assert back["state"] == "n8Qd3vXk"
    return Secret(back["code"])


def exchange(stage: Stage) -> object:
    return oauth.exchange_code(stage.at_clio.app, code=agree(stage), redirect_uri=CALLBACK)


def renew(stage: Stage) -> object:
    return oauth.refresh(stage.at_clio.app, refresh_token=stage.at_clio.refresh)


def renew_in_vain(stage: Stage) -> object:
    return oauth.refresh(stage.at_clio.app, refresh_token=Secret("REVOKED"))


def give_back(stage: Stage) -> None:
    oauth.deauthorize(stage.at_clio.app, access_token=stage.at_clio.access)


def first_page(stage: Stage) -> object:
    return stage.clio.matters(status=["open"], limit=2).first_page()


def last_page(stage: Stage) -> object:
    *_, last = stage.clio.matters(status=["open"], limit=2).pages()
    assert last.next_url is None
    return last


def told(route: str, ask: Play) -> Play:
    """`ask`, to which the sandbox gives the sample's own answer."""

    def play(stage: Stage) -> object:
        stage.says(route)
        return ask(stage)

    return play


def not_there(stage: Stage) -> object:
    return stage.clio.matter(1)


def look(stage: Stage) -> object:
    return stage.clio.document(stage.file().document_id)


def look_told(stage: Stage) -> object:
    document_id = stage.file().document_id
    stage.says("documents.show")
    return stage.clio.document(document_id)


def delete(stage: Stage) -> None:
    stage.clio.delete_document(stage.file().document_id)


def delete_told(stage: Stage) -> None:
    document_id = stage.file().document_id
    stage.says("documents.trash")
    stage.clio.delete_document(document_id)


def who(stage: Stage) -> object:
    return stage.clio.who_am_i()


def folder(stage: Stage) -> object:
    return stage.clio.create_folder("AI drafts - approved", parent=Parent.matter(stage.matter_id))


def redacted(stage: Stage) -> object:
    [matter] = stage.clio.matters()
    assert matter.client is not None
    assert matter.client.redacted
    return matter


ASKED_ALIKE: dict[str, Play] = {
    "oauth-authorize": agree,
    "oauth-token-exchange": exchange,
    "oauth-token-refresh": renew,
    "oauth-token-invalid-grant": renew_in_vain,
    "oauth-deauthorize": give_back,
    "who-am-i": who,
    "matters-list-page1": first_page,
    "matters-list-last-page": last_page,
    "document-create": create,
    "document-create-in-folder": create_in_folder,
    "document-create-new-version": create_new_version,
    "document-create-multipart": create_multipart,
    "document-patch-more-parts": more_parts,
    "document-put-bytes": put,
    "document-put-expired": put_late,
    "document-put-wrong-header": put_wrongly,
    "document-put-part": put_part,
    "document-put-part-bad-digest": lambda stage: put_part(stage, b"the damaged bytes!"),
    "document-patch-fully-uploaded": confirm,
    "document-patch-upload-not-found": confirm_nothing,
    "document-patch-upload-timeout": confirm_too_soon,
    "document-show": look,
    "documents-list-matter": find,
    "document-versions-list": lambda stage: list(
        stage.clio.document_versions(stage.file().document_id, fully_uploaded=True)
    ),
    "document-download": download,
    "document-delete": delete,
    "document-categories-list": lambda stage: list(stage.clio.document_categories()),
    "folder-create": folder,
    "error-404-not-found": not_there,
    "error-409-conflict": delete_told,
    "error-429-rate-limited": look_told,
}
"""The portal asks just this; the sandbox answers by itself, the last two aside."""

ANSWERED_ALIKE: dict[str, Play] = {
    "who-am-i-no-fields": told("users.who_am_i", who),
    "document-create-no-fields": told("documents.create", lambda stage: stage.reserve()),
    "document-show-304": look_told,
    "error-400-invalid-fields": look_told,
    "error-401-invalid-token": told("users.who_am_i", who),
    "error-401-missing-token": told("users.who_am_i", who),
    "error-403-forbidden": told(
        "document_categories.list", lambda stage: list(stage.clio.document_categories())
    ),
    "error-410-api-version": told("users.who_am_i", who),
    "error-412-stale-etag": told("documents.update", confirm),
    "error-422-offset-too-large": told("matters.list", lambda stage: list(stage.clio.matters())),
    "redacted-association": told("matters.list", redacted),
}
"""The portal asks more carefully than the sample; the sandbox gives the sample's answer all the same."""

EXPECTED: dict[str, type[errors.ClioError]] = {
    "oauth-token-invalid-grant": errors.GrantRevoked,
    "document-put-expired": errors.StorageExpired,
    "document-put-wrong-header": errors.StorageDenied,
    "document-put-part-bad-digest": errors.StorageBadDigest,
    "document-patch-upload-not-found": errors.UploadNotFound,
    "document-patch-upload-timeout": errors.UploadTimeout,
    "error-404-not-found": errors.NotFound,
    "error-409-conflict": errors.Conflict,
    "error-429-rate-limited": errors.RateLimited,
    "who-am-i-no-fields": errors.ClioSurprised,
    "document-create-no-fields": errors.ClioSurprised,
    "document-show-304": errors.ClioSurprised,
    "error-400-invalid-fields": errors.Invalid,
    "error-401-invalid-token": errors.TokenRejected,
    "error-401-missing-token": errors.TokenRejected,
    "error-403-forbidden": errors.Forbidden,
    "error-410-api-version": errors.VersionGone,
    "error-412-stale-etag": errors.StaleEtag,
    "error-422-offset-too-large": errors.Invalid,
}


def test_every_sample_is_played() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == {*ASKED_ALIKE, *ANSWERED_ALIKE}


@pytest.mark.parametrize("name", [*ASKED_ALIKE, *ANSWERED_ALIKE])
def test_the_client_and_the_sandbox_act_out_the_sample(
    at_clio: Rehearsal, clio: ClioClient, name: str
) -> None:
    stage = Stage(at_clio, clio, name)
    play, expected = {**ASKED_ALIKE, **ANSWERED_ALIKE}[name], EXPECTED.get(name)

    with pytest.raises(expected) if expected else nullcontext():
        play(stage)

    if name in ASKED_ALIKE:
        assert_asked_alike(at_clio, example(name))


def assert_asked_alike(at_clio: Rehearsal, sample: dict[str, Any]) -> None:
    wanted = sample["request"]
    call = last_call_like(at_clio, sample)
    if call["listener"] == "api":
        assert_same_query(dict(call["query"]), wanted)
        assert keys(call["body"]) == keys(wanted.get("body"))
    sent = {name.lower() for name in call["headers"]}
    assert {name.lower() for name in wanted["headers"]} - {"accept"} <= sent


def last_call_like(at_clio: Rehearsal, sample: dict[str, Any]) -> dict[str, Any]:
    """The last line of the ledger with the sample's method, path and status; any path at storage."""
    wanted = sample["request"]
    path = wanted.get("path") or re.sub(r"https://[^/]+|\?.*", "", wanted["url"])
    status = sample["response"]["status"] if "response" in sample else 200  # a page comes before the redirect
    calls = [call for call in at_clio.sandbox.calls(status=status) if call["method"] == wanted["method"]]
    alike = [call for call in calls if call["listener"] == "storage" or shape(call["path"]) == shape(path)]
    assert alike, [call["path"] for call in calls]
    return alike[-1]


def assert_same_query(asked: dict[str, str], wanted: dict[str, Any]) -> None:
    query = dict(wanted.get("query", {}))
    if "url" in wanted:
        query = dict.fromkeys(re.findall(r"[?&](\w+)=", wanted["url"]), "") | {"fields": ""}
    assert flat(query.pop("fields", "")) <= flat(asked.pop("fields", ""))
    assert set(asked) == set(query)


def shape(path: str) -> str:
    return re.sub(r"\d{2,}|(?<=/)\d+", "N", path)


def keys(body: Any) -> Any:
    """A body without its values: what remains is its shape."""
    if isinstance(body, dict):
        return {name: keys(value) for name, value in body.items()}
    if isinstance(body, list):
        return [keys(value) for value in body]
    return None
