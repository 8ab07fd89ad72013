"""Every sample of Clio's wire format for a call the client makes: asked alike, answer understood."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from clio_sync.api import ClioClient, Parent, PartPlan, Ref, Secret, errors, wire
from tests.clio_sync.api.clio_script import answer, client, data, example, response, script

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PARTS = [
    PartPlan(1, 31457280, "DMF1ucDxtqgxw5niaXcmYQ=="),
    PartPlan(2, 31457280, "kutf/uauL+w61xx3dTFXjw=="),
    PartPlan(3, 4190208, "SooI8J03tzeVZJA4QItfMw=="),
]
UUID = "5f2c1d0e-8a44-4b7e-9c51-3d6e0f7a2b18"

Ask = Callable[[ClioClient], object]

ASKED: dict[str, Ask] = {
    "who-am-i": lambda clio: clio.who_am_i(),
    "matters-list-page1": lambda clio: clio.matters(status=["open"], limit=2).first_page(),
    "document-create": lambda clio: clio.reserve_document(
        "Engagement letter - Okafor.docx",
        parent=Parent.matter(48210337),
        content_type=DOCX,
        category_id=41007,
        external_properties={"portal_draft": "draft-20917", "portal_version": "3"},
    ),
    "document-create-in-folder": lambda clio: clio.reserve_document(
        "Fee agreement.pdf", parent=Parent.folder(77130092)
    ),
    "document-create-new-version": lambda clio: clio.reserve_document(
        "Engagement letter - Okafor.docx", parent=Parent.document(991200451)
    ),
    "document-create-multipart": lambda clio: clio.reserve_document(
        "Exhibit bundle.pdf", parent=Parent.matter(48210337), multiparts=PARTS
    ),
    "document-patch-more-parts": lambda clio: clio.more_parts(
        991200555, version_uuid="b7d90c3a-15e2-4f0b-8e6d-92a4c7510fe3", multiparts=[PartPlan(51, 31457280)]
    ),
    "document-patch-fully-uploaded": lambda clio: clio.confirm_document(991200451, version_uuid=UUID),
    "document-show": lambda clio: clio.document(991200451),
    "documents-list-matter": lambda clio: list(
        clio.find_documents(
            external_property_name="portal_draft",
            external_property_value="draft-20917",
            matter_id=48210337,
        )
    ),
    "document-versions-list": lambda clio: list(clio.document_versions(991200451, fully_uploaded=True)),
    "document-delete": lambda clio: clio.delete_document(991200451),
    "document-categories-list": lambda clio: list(clio.document_categories()),
    "folder-create": lambda clio: clio.create_folder("AI drafts - approved", parent=Parent.matter(48210337)),
}

FAILS: dict[str, tuple[Ask, type[errors.ClioError]]] = {
    "who-am-i-no-fields": (lambda clio: clio.who_am_i(), errors.ClioSurprised),
    "document-create-no-fields": (
        lambda clio: clio.reserve_document("Engagement letter - Okafor.docx", parent=Parent.matter(48210337)),
        errors.ClioSurprised,
    ),
    "document-patch-upload-not-found": (
        lambda clio: clio.confirm_document(991200451, version_uuid=UUID),
        errors.UploadNotFound,
    ),
    "document-patch-upload-timeout": (
        lambda clio: clio.confirm_document(991200451, version_uuid=UUID),
        errors.UploadTimeout,
    ),
    "error-404-not-found": (lambda clio: clio.matter(1), errors.NotFound),
    "error-409-conflict": (lambda clio: clio.delete_document(991200451), errors.Conflict),
    "error-429-rate-limited": (lambda clio: clio.document(991200451), errors.RateLimited),
}

OTHER_ERRORS: dict[str, type[errors.ClioError]] = {
    "error-400-invalid-fields": errors.Invalid,
    "error-401-invalid-token": errors.TokenRejected,
    "error-401-missing-token": errors.TokenRejected,
    "error-403-forbidden": errors.Forbidden,
    "error-410-api-version": errors.VersionGone,
    "error-412-stale-etag": errors.StaleEtag,
    "error-422-offset-too-large": errors.Invalid,
}
"""Errors whose sample shows a call the portal does not make: their answers are played to one it does."""


@pytest.mark.parametrize("name", [*ASKED, *FAILS])
def test_a_request_has_exactly_the_shape_of_clios_sample(name: str) -> None:
    clio = script(answer(name))
    ask = ASKED.get(name) or FAILS[name][0]

    with client(clio) as api:
        try:
            ask(api)
        except errors.ClioError:
            assert name in FAILS

    assert_same_request(clio.last, example(name)["request"])


@pytest.mark.parametrize("name", FAILS)
def test_an_error_of_clios_samples_is_understood(name: str) -> None:
    ask, expected = FAILS[name]

    with client(script(answer(name))) as api, pytest.raises(expected) as caught:
        ask(api)

    assert type(caught.value) is expected
    assert caught.value.status == example(name)["response"]["status"]


@pytest.mark.parametrize("name", OTHER_ERRORS)
def test_an_error_of_a_call_the_portal_does_not_make_is_understood_too(name: str) -> None:
    with client(script(answer(name))) as api, pytest.raises(errors.ClioError) as caught:
        api.matter(48210337)

    told = example(name)["response"]["body"]["error"]
    assert type(caught.value) is OTHER_ERRORS[name]
    assert caught.value.error_type == (told if isinstance(told, str) else told["type"])
    assert "UNVERIFIED wording" not in str(caught.value)


def test_who_am_i_tells_the_user_and_the_account() -> None:
    with client(script(answer("who-am-i"))) as api:
        me = api.who_am_i()

    assert (me.id, me.name, me.email) == (350771, "Amara Ndiaye", "amara@ndiayelaw.example")
    assert me.account == Ref(88120, "Ndiaye Law PC")
    assert me.roles == ("Admin",)


def test_the_second_page_is_asked_for_by_clios_own_address() -> None:
    clio = script(answer("matters-list-page1"), answer("matters-list-last-page"))

    with client(clio) as api:
        found = list(api.matters(status=["open"], limit=2))

    assert [matter.display_number for matter in found] == [
        "00412-Okafor",
        "00413-Brandt Foods",
        "00419-Reyes",
    ]
    assert found[0].client == Ref(771201, "Chidi Okafor")
    assert str(clio.last.url) == example("matters-list-last-page")["request"]["url"]
    assert_same_headers(clio.last, example("matters-list-last-page")["request"])


def test_a_redacted_client_is_known_to_be_hidden_rather_than_nameless() -> None:
    with client(script(answer("redacted-association"))) as api:
        [matter] = api.matters()

    assert matter.client == Ref(772001, None, redacted=True)


def test_a_matter_is_read_although_only_some_of_its_fields_came() -> None:
    with client(script(data({"id": 48210337, "display_number": "00412-Okafor", "client": None}))) as api:
        matter = api.matter(48210337)

    assert matter.display_number == "00412-Okafor"
    assert matter.client is None
    assert not matter.is_closed


def test_a_reservation_holds_all_that_the_transfer_needs() -> None:
    with client(script(answer("document-create"))) as api:
        room = ASKED["document-create"](api)

    assert isinstance(room, wire.Reservation)
    put_url = example("document-create")["response"]["body"]["data"]["latest_document_version"]["put_url"]
    assert (room.document_id, room.version_uuid) == (991200451, UUID)
    assert room.put_url == Secret(put_url)
    assert room.put_headers == (("x-amz-server-side-encryption", "AES256"), ("Content-Type", DOCX))


def test_a_new_version_keeps_the_document_and_says_its_number() -> None:
    with client(script(answer("document-create-new-version"))) as api:
        room = api.reserve_document("Engagement letter - Okafor.docx", parent=Parent.document(991200451))

    assert (room.document_id, room.version_number) == (991200451, 2)


def test_a_multipart_reservation_has_an_address_and_headers_for_each_part() -> None:
    with client(script(answer("document-create-multipart"))) as api:
        room = api.reserve_document("Exhibit bundle.pdf", parent=Parent.matter(48210337), multiparts=PARTS)

    assert [part.number for part in room.parts] == [1, 2, 3]
    assert room.parts[0].put_headers == (
        ("Content-Length", "31457280"),
        ("Content-MD5", "DMF1ucDxtqgxw5niaXcmYQ=="),
    )
    assert not room.put_url


def test_more_parts_come_with_their_addresses() -> None:
    with client(script(answer("document-patch-more-parts"))) as api:
        parts = ASKED["document-patch-more-parts"](api)

    assert isinstance(parts, tuple)
    assert [part.number for part in parts] == [51]


def test_the_bytes_go_to_storage_with_exactly_the_headers_clio_named() -> None:
    sample = example("document-put-bytes")["request"]
    storage = script(answer("document-put-bytes"))
    body = b"x" * 18422
    headers = tuple((name, value) for name, value in sample["headers"].items() if name != "Content-Length")

    with client(storage) as api:
        result = api.transfer(Secret(sample["url"]), headers, io.BytesIO(body), size=len(body))

    assert str(storage.last.url) == sample["url"]
    assert storage.last.method == "PUT"
    sent = {name: value for name, value in storage.last.headers.items() if name != "host"}
    assert sent == {name.lower(): value for name, value in sample["headers"].items()}
    assert storage.last.content == body
    assert result.bytes_sent == 18422
    assert result.sha256 == hashlib.sha256(body).hexdigest()
    assert result.etag == "2b8f4f0f7d0f4d7f8f7b6b7f8a1d2c3e"


def test_a_part_goes_to_storage_with_its_own_headers() -> None:
    sample = example("document-put-part")["request"]
    storage = script(answer("document-put-part"))
    size = int(sample["headers"]["Content-Length"])

    with client(storage) as api:
        api.transfer(
            Secret(sample["url"]), tuple(sample["headers"].items()), io.BytesIO(bytes(size)), size=size
        )

    sent = {name: value for name, value in storage.last.headers.items() if name != "host"}
    assert sent == {name.lower(): value for name, value in sample["headers"].items()}


@pytest.mark.parametrize(
    ("name", "expected", "code"),
    [
        ("document-put-expired", errors.StorageExpired, "AccessDenied"),
        ("document-put-wrong-header", errors.StorageDenied, "SignatureDoesNotMatch"),
        ("document-put-part-bad-digest", errors.StorageBadDigest, "BadDigest"),
    ],
)
def test_a_refusal_by_storage_is_understood(
    name: str, expected: type[errors.StorageError], code: str
) -> None:
    sample = example(name)["request"]
    headers = tuple((key, value) for key, value in sample["headers"].items() if key != "Content-Length")

    with client(script(answer(name))) as api, pytest.raises(errors.StorageError) as caught:
        api.transfer(Secret(sample["url"]), headers, io.BytesIO(b"damaged"), size=7)

    assert type(caught.value) is expected
    assert caught.value.error_type == code


def test_a_confirmed_document_proves_its_version_and_size() -> None:
    with client(script(answer("document-patch-fully-uploaded"))) as api:
        filed = api.confirm_document(991200451, version_uuid=UUID)

    assert filed.is_complete(version_uuid=UUID, size=18422)
    assert not filed.is_complete(version_uuid=UUID, size=18423)
    assert not filed.is_complete(version_uuid="b7d90c3a-15e2-4f0b-8e6d-92a4c7510fe3", size=18422)


def test_a_document_is_read_with_all_the_portal_compares() -> None:
    with client(script(answer("document-show"))) as api:
        found = api.document(991200451)

    assert found.matter == Ref(48210337, "00412-Okafor")
    assert found.creator == Ref(350771, "Amara Ndiaye")
    assert [(each.name, each.value) for each in found.external_properties] == [
        ("portal_draft", "draft-20917"),
        ("portal_version", "3"),
    ]
    assert found.created_at == datetime(2026, 11, 20, 16, 30, 5, tzinfo=UTC)
    assert found.latest_version is not None
    assert found.latest_version.fully_uploaded
    assert found.reservation() is None


def test_an_unfinished_document_can_be_taken_up_again() -> None:
    unfinished = example("document-show")["response"]["body"]["data"]
    made = example("document-create")["response"]["body"]["data"]["latest_document_version"]
    unfinished["latest_document_version"] |= {**made, "fully_uploaded": False}

    with client(script(httpx.Response(200, json={"data": unfinished}))) as api:
        room = api.document(991200451).reservation()

    assert room is not None
    assert room.put_url == Secret(made["put_url"])
    assert room.put_headers == (("x-amz-server-side-encryption", "AES256"), ("Content-Type", DOCX))


def test_a_download_follows_clio_to_storage_without_the_token() -> None:
    clio = script(answer("document-download"), httpx.Response(200, content=b"the filed bytes"))
    into = io.BytesIO()

    with client(clio) as api:
        got = api.download(991200451, into, most=1000)

    assert_same_request(clio.sent[0], example("document-download")["request"])
    assert str(clio.last.url) == example("document-download")["response"]["headers"]["Location"]
    assert "authorization" not in clio.last.headers
    assert into.getvalue() == b"the filed bytes"
    assert got.sha256 == hashlib.sha256(b"the filed bytes").hexdigest()


def assert_same_request(sent: httpx.Request, sample: dict[str, Any]) -> None:
    """Equal in all but `fields`, of which ours must hold all of the sample's."""
    assert (sent.method, sent.url.host, sent.url.path) == (sample["method"], sample["host"], sample["path"])
    query, wanted = dict(parse_qsl(sent.url.query.decode())), dict(sample.get("query", {}))
    assert flat(wanted.pop("fields", "")) <= flat(query.pop("fields", ""))
    assert query == wanted
    assert_same_headers(sent, sample)
    assert (json.loads(sent.content) if sent.content else None) == sample.get("body")


def assert_same_headers(sent: httpx.Request, sample: dict[str, Any]) -> None:
    ours = {name: value for name, value in sent.headers.items() if name not in HOP}
    assert ours == {name.lower(): value for name, value in sample["headers"].items()}


HOP = {"host", "connection", "user-agent", "accept-encoding", "content-length"}


def flat(fields: str) -> set[str]:
    """`id,client{id,name}` as `id`, `client.id`, `client.name`."""
    found: set[str] = set()
    for name, inner in re.findall(r"([a-z_]+)(?:\{([^}]*)\})?", fields):
        found |= {f"{name}.{each}" for each in inner.split(",")} if inner else {name}
    return found


def test_the_helpers_of_this_module_tell_a_difference() -> None:
    request = httpx.Request("GET", "https://app.clio.com/api/v4/users/who_am_i.json?fields=id")

    assert flat("id,client{id,name}") == {"id", "client.id", "client.name"}
    with pytest.raises(AssertionError):
        assert_same_request(request, example("who-am-i")["request"])
    assert response({"status": 204}).content == b""
