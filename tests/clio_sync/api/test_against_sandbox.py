"""The real client against the real sandbox, over real sockets."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from clio_sync.api import (
    CallReport,
    ClioClient,
    Parent,
    PartPlan,
    Reservation,
    Secret,
    StoragePolicy,
    TransferResult,
    errors,
    oauth,
)
from clio_sync.api.oauth import OAuthApp
from tests.clio_contract.checker import request_problems_of
from tests.sandbox_process import ALICE, BOB, SandboxProcess, running_sandbox

BYTES = b"".join(number.to_bytes(4) for number in range(40_000))
SHA256 = hashlib.sha256(BYTES).hexdigest()
CALLBACK = "http://127.0.0.1:8000/clio/callback"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@dataclass
class Rehearsal:
    """A fresh sandbox and a connection to it, whose tokens are those the sandbox handed out."""

    sandbox: SandboxProcess
    access: Secret
    refresh: Secret
    reports: list[CallReport] = field(default_factory=list)
    rejected: int = 0

    def __call__(self) -> Secret:
        return self.access

    def on_rejected(self, token: Secret) -> Secret | None:
        self.rejected += 1
        self.access = oauth.refresh(self.app, refresh_token=self.refresh).access_token
        return self.access

    @property
    def app(self) -> OAuthApp:
        secret = Secret(self.sandbox.client_secret)
        return OAuthApp(self.sandbox.api_url, self.sandbox.client_id, secret, sandbox=True)

    def client(self) -> ClioClient:
        return ClioClient(
            self.sandbox.api_url,
            self,
            storage_policy=StoragePolicy.sandbox(self.sandbox.storage_url),
            on_response=self.reports.append,
        )

    def calls(self) -> list[str]:
        """What was asked of the API, by the sandbox's own names."""
        return [call["route"] for call in self.sandbox.calls(listener="api")]


@pytest.fixture
def at_clio(process: SandboxProcess) -> Iterator[Rehearsal]:
    process.reset()
    tokens = process.tokens(ALICE)
    yield Rehearsal(process, Secret(tokens["access_token"]), Secret(tokens["refresh_token"]))
    assert request_problems_of(process.calls()) == [], (
        "the client asked for what Clio's contract does not know"
    )


@pytest.fixture
def clio(at_clio: Rehearsal) -> Iterator[ClioClient]:
    with at_clio.client() as client:
        yield client


@pytest.fixture
def matter_id(clio: ClioClient) -> int:
    return clio.matters(limit=1).first_page().items[0].id


def send(clio: ClioClient, room: Reservation, body: bytes = BYTES) -> TransferResult:
    return clio.transfer(
        room.put_url,
        room.put_headers,
        io.BytesIO(body),
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
    )


def file(clio: ClioClient, matter_id: int, body: bytes = BYTES, name: str = "Letter.docx") -> Reservation:
    room = clio.reserve_document(name, parent=Parent.matter(matter_id), external_properties={"op": "op-1"})
    send(clio, room, body)
    filed = clio.confirm_document(room.document_id, version_uuid=room.version_uuid)
    assert filed.is_complete(version_uuid=room.version_uuid, size=len(body))
    return room


def test_three_calls_file_a_document_and_two_of_them_are_the_apis(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int
) -> None:
    category = next(iter(clio.document_categories()))
    before = len(at_clio.calls())

    room = clio.reserve_document(
        "Engagement letter.docx",
        parent=Parent.matter(matter_id),
        content_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        category_id=category.id,
        external_properties={"countersign_op": "op-1"},
    )
    sent = send(clio, room)
    filed = clio.confirm_document(room.document_id, version_uuid=room.version_uuid)

    held = at_clio.sandbox.document(room.document_id)
    assert at_clio.calls()[before:] == ["documents.create", "documents.update"]
    assert filed.is_complete(version_uuid=room.version_uuid, size=len(BYTES))
    assert (held["visible"], held["sha256"], held["name"]) == (True, SHA256, "Engagement letter.docx")
    assert (held["matter_id"], held["document_category_id"]) == (matter_id, category.id)
    assert held["external_properties"] == [{"name": "countersign_op", "value": "op-1"}]
    assert (sent.sha256, sent.bytes_sent) == (SHA256, len(BYTES))
    assert sent.etag == hashlib.md5(BYTES, usedforsecurity=False).hexdigest()


def test_a_document_is_not_seen_before_it_is_confirmed(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int
) -> None:
    room = clio.reserve_document("L.docx", parent=Parent.matter(matter_id), external_properties={"op": "7"})
    send(clio, room)

    def found(*, unfinished: bool) -> list[int]:
        documents = clio.find_documents(
            external_property_name="op",
            external_property_value="7",
            matter_id=matter_id,
            show_uncompleted=unfinished,
        )
        return [each.id for each in documents]

    assert found(unfinished=False) == []
    assert found(unfinished=True) == [room.document_id]
    assert at_clio.sandbox.document(room.document_id)["visible"] is False


def test_a_new_version_keeps_the_document(at_clio: Rehearsal, clio: ClioClient, matter_id: int) -> None:
    first = file(clio, matter_id)

    room = clio.reserve_document("Letter.docx", parent=Parent.document(first.document_id))
    send(clio, room, b"second")
    filed = clio.confirm_document(room.document_id, version_uuid=room.version_uuid)

    versions = list(clio.document_versions(first.document_id, fully_uploaded=True))
    assert room.document_id == first.document_id
    assert (room.version_number, filed.version_number) == (2, 2)
    assert sorted(version.size or 0 for version in versions) == [6, len(BYTES)]
    assert at_clio.sandbox.document(first.document_id)["sha256"] == hashlib.sha256(b"second").hexdigest()


def test_a_document_goes_into_a_folder_made_for_it(clio: ClioClient, matter_id: int) -> None:
    folder = clio.create_folder("Countersigned", parent=Parent.matter(matter_id))
    inner = clio.create_folder("Letters", parent=Parent.folder(folder.id))

    room = clio.reserve_document("Letter.docx", parent=Parent.folder(inner.id))

    assert folder.id in [each.id for each in clio.folders(matter_id=matter_id)]
    assert [each.name for each in clio.folders(parent_id=folder.id)] == ["Letters"]
    assert room.parent is not None
    assert room.parent.id == inner.id


def test_sixty_matters_come_in_three_pages(at_clio: Rehearsal, clio: ClioClient) -> None:
    pages = list(clio.matters(status=[], limit=25).pages())

    ids = [matter.id for page in pages for matter in page.items]
    assert [len(page.items) for page in pages] == [25, 25, 10]
    assert ids == sorted(set(ids))
    assert len(ids) == 60
    assert at_clio.calls() == ["matters.list"] * 3


def test_matters_are_found_by_what_a_person_types(clio: ClioClient) -> None:
    wanted = next(matter for matter in clio.matters() if matter.client and matter.client.name)
    assert wanted.display_number is not None

    found = list(clio.matters(query=wanted.display_number))

    assert wanted.id in [matter.id for matter in found]
    assert clio.matter(wanted.id) == wanted
    assert wanted.folder_id is not None
    assert {each.id for each in clio.matters(ids=[wanted.id])} == {wanted.id}


def test_who_is_connected_and_to_which_account(clio: ClioClient) -> None:
    me = clio.who_am_i()

    assert me.id == ALICE
    assert "@" in me.email
    assert me.account.name
    assert {ALICE, BOB} <= {user.id for user in clio.users()}


def test_consent_a_refresh_and_the_end_of_a_connection(at_clio: Rehearsal) -> None:
    address = oauth.authorize_url(at_clio.app, redirect_uri=CALLBACK, state="s1")
    back = at_clio.sandbox.returned(at_clio.sandbox.decide(address, user_id=BOB))

    tokens = oauth.exchange_code(at_clio.app, code=Secret(back["code"]), redirect_uri=CALLBACK)
    assert tokens.refresh_token is not None
    renewed = oauth.refresh(at_clio.app, refresh_token=tokens.refresh_token)
    oauth.deauthorize(at_clio.app, access_token=renewed.access_token)

    assert back["state"] == "s1"
    assert tokens.expires_in == oauth.LONGEST_LIFE
    with pytest.raises(errors.GrantRevoked):
        oauth.refresh(at_clio.app, refresh_token=tokens.refresh_token)
    with pytest.raises(errors.GrantRevoked):
        oauth.exchange_code(at_clio.app, code=Secret(back["code"]), redirect_uri=CALLBACK)


def test_a_declined_consent_comes_back(at_clio: Rehearsal) -> None:
    address = oauth.authorize_url(at_clio.app, redirect_uri=CALLBACK, state="s1")

    back = at_clio.sandbox.returned(at_clio.sandbox.decide(address, decision="decline"))

    assert back == {"error": "access_denied", "state": "s1"}


def test_a_wrong_app_secret_is_the_admins_matter(at_clio: Rehearsal) -> None:
    app = OAuthApp(at_clio.sandbox.api_url, at_clio.sandbox.client_id, Secret("wrong"), sandbox=True)

    with pytest.raises(errors.AppRejected):
        oauth.refresh(app, refresh_token=at_clio.refresh)


def test_an_expired_token_is_renewed_in_the_middle_of_filing(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int
) -> None:
    room = clio.reserve_document("Letter.docx", parent=Parent.matter(matter_id))
    send(clio, room)
    at_clio.sandbox.act("expire_tokens")

    filed = clio.confirm_document(room.document_id, version_uuid=room.version_uuid)

    assert filed.fully_uploaded
    assert at_clio.rejected == 1
    assert [report.status for report in at_clio.reports[-2:]] == [401, 200]


def test_a_withdrawn_grant_needs_a_person(at_clio: Rehearsal, clio: ClioClient) -> None:
    at_clio.sandbox.act("revoke_grant")

    with pytest.raises(errors.GrantRevoked):
        clio.who_am_i()


def test_no_token_at_all_is_understood_too(at_clio: Rehearsal) -> None:
    at_clio.sandbox.fault(
        "users.who_am_i",
        "status",
        status=401,
        count=2,
        body={"error": {"type": "UnauthorizedError", "message": "User is not authorized"}},
    )

    with at_clio.client() as clio, pytest.raises(errors.TokenRejected) as caught:
        clio.who_am_i()

    assert caught.value.error_type == "UnauthorizedError"
    assert at_clio.rejected == 1


@pytest.mark.parametrize("written", ["seconds", "date"])
@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_a_spent_limit_says_how_long_to_wait(
    at_clio: Rehearsal, clio: ClioClient, written: str, body: str
) -> None:
    at_clio.sandbox.switch(
        rate_limit=3, retry_after_format=written, rate_error_body=body, rate_model="anchored"
    )

    for _ in range(3):
        clio.who_am_i()
    with pytest.raises(errors.RateLimited) as caught:
        clio.who_am_i()

    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 60
    assert [report.rate.remaining for report in at_clio.reports] == [2, 1, 0, 0]
    assert {report.rate.limit for report in at_clio.reports} == {3}
    reset_in = at_clio.reports[-1].rate.reset_in
    assert reset_in is not None
    assert 0 < reset_in <= 61


def test_an_expired_put_url_is_replaced_by_a_fresh_one(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int
) -> None:
    room = clio.reserve_document("Letter.docx", parent=Parent.matter(matter_id))
    at_clio.sandbox.advance(601)

    with pytest.raises(errors.StorageExpired):
        send(clio, room)
    fresh = clio.document(room.document_id).reservation()
    assert fresh is not None
    send(clio, fresh)

    assert fresh.put_url != room.put_url
    assert (fresh.document_id, fresh.version_uuid) == (room.document_id, room.version_uuid)
    assert clio.confirm_document(room.document_id, version_uuid=room.version_uuid).fully_uploaded


def test_a_signature_that_was_touched_is_refused_by_storage(clio: ClioClient, matter_id: int) -> None:
    room = clio.reserve_document("Letter.docx", parent=Parent.matter(matter_id))
    put_url = Secret(room.put_url.reveal()[:-1] + ("0" if room.put_url.reveal()[-1] != "0" else "1"))

    with pytest.raises(errors.StorageDenied) as wrong_signature:
        clio.transfer(put_url, room.put_headers, io.BytesIO(b"x"), size=1)
    with pytest.raises(errors.StorageDenied) as wrong_header:
        clio.transfer(room.put_url, (("Content-Type", "text/html"),), io.BytesIO(b"x"), size=1)

    assert wrong_signature.value.error_type == "SignatureDoesNotMatch"
    assert wrong_header.value.error_type in ("SignatureDoesNotMatch", "AccessDenied")


@pytest.mark.parametrize(
    ("size", "sha256"),
    [(len(BYTES) - 1, ""), (len(BYTES) + 1, ""), (len(BYTES), "0" * 64)],
    ids=["longer", "shorter", "other bytes"],
)
def test_bytes_that_are_not_the_approved_ones_never_become_an_object(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int, size: int, sha256: str
) -> None:
    room = clio.reserve_document("Letter.docx", parent=Parent.matter(matter_id))

    with pytest.raises(errors.BytesChanged):
        clio.transfer(room.put_url, room.put_headers, io.BytesIO(BYTES), size=size, sha256=sha256)

    [version] = at_clio.sandbox.document(room.document_id)["versions"]
    assert version["stored_sha256"] is None
    with pytest.raises(errors.UploadNotFound):
        clio.confirm_document(room.document_id, version_uuid=room.version_uuid)


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_confirming_what_is_not_there_says_so_with_any_status(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int, status: int
) -> None:
    at_clio.sandbox.switch(upload_error_status=status, confirm_times_out=1)
    room = clio.reserve_document("Letter.docx", parent=Parent.matter(matter_id))
    send(clio, room)

    with pytest.raises(errors.UploadTimeout):
        clio.confirm_document(room.document_id, version_uuid=room.version_uuid)
    other = clio.reserve_document("Other.docx", parent=Parent.matter(matter_id))
    with pytest.raises(errors.UploadNotFound):
        clio.confirm_document(other.document_id, version_uuid=other.version_uuid)

    assert clio.confirm_document(room.document_id, version_uuid=room.version_uuid).fully_uploaded


@pytest.mark.parametrize("status", [400, 409, 422])
def test_confirming_twice_says_already(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int, status: int
) -> None:
    at_clio.sandbox.switch(confirm_again_status=status)
    room = file(clio, matter_id)

    with pytest.raises(errors.AlreadyUploaded):
        clio.confirm_document(room.document_id, version_uuid=room.version_uuid)


Step = Callable[[ClioClient, Reservation], object]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("lose_after", errors.Unreachable),
        ("lose_before", errors.Unreachable),
        ("truncate", errors.ClioError),
        ("wrong_json", errors.ClioSurprised),
    ],
)
def test_a_lost_reservation_is_ambiguous_and_found_again(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int, kind: str, error: type[errors.ClioError]
) -> None:
    at_clio.sandbox.fault("documents.create", kind)

    with pytest.raises(error) as caught:
        clio.reserve_document("L.docx", parent=Parent.matter(matter_id), external_properties={"op": "op-9"})

    found = list(
        clio.find_documents(external_property_name="op", external_property_value="op-9", matter_id=matter_id)
    )
    assert caught.value.ambiguous
    assert len(found) == (0 if kind == "lose_before" else 1)
    assert all(document.reservation() for document in found)


@pytest.mark.parametrize("kind", ["lose_after", "truncate", "wrong_json"])
def test_a_lost_confirmation_is_read_back(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int, kind: str
) -> None:
    room = clio.reserve_document("Letter.docx", parent=Parent.matter(matter_id))
    send(clio, room)
    at_clio.sandbox.fault("documents.update", kind)

    with pytest.raises(errors.ClioError) as caught:
        clio.confirm_document(room.document_id, version_uuid=room.version_uuid)

    document = clio.document(room.document_id)
    assert caught.value.ambiguous
    assert document.latest_version is not None
    assert document.latest_version.fully_uploaded
    assert document.reservation() is None


def test_an_answer_and_a_hang_up_is_an_answer(at_clio: Rehearsal, clio: ClioClient, matter_id: int) -> None:
    at_clio.sandbox.fault("documents.create", "close")

    room = clio.reserve_document("Letter.docx", parent=Parent.matter(matter_id))

    assert clio.matter(matter_id).id == matter_id
    assert room.put_url


@pytest.mark.parametrize("status", [500, 502, 503])
def test_trouble_at_clio_is_retried_later(at_clio: Rehearsal, clio: ClioClient, status: int) -> None:
    at_clio.sandbox.fault("users.who_am_i", "status", status=status, body="<html>Please stand by</html>")

    with pytest.raises(errors.ServerTrouble) as caught:
        clio.who_am_i()

    assert not caught.value.ambiguous
    assert clio.who_am_i().id == ALICE


def test_a_sandbox_that_is_gone_is_unreachable_and_nothing_was_sent(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running_sandbox(tmp_path_factory.mktemp("gone")) as sandbox:
        tokens = sandbox.tokens()
        at_clio = Rehearsal(sandbox, Secret(tokens["access_token"]), Secret(tokens["refresh_token"]))
        with at_clio.client() as clio:
            room = clio.reserve_document("L.docx", parent=Parent.matter(sandbox.matter_id()))
            sandbox.stop()
            with pytest.raises(errors.Unreachable) as asking:
                clio.reserve_document("L.docx", parent=Parent.matter(1))
            with pytest.raises(errors.StorageUnreachable) as sending:
                send(clio, room)

    assert not sending.value.ambiguous
    assert asking.value.status is None


def test_a_document_in_parts_arrives_whole(at_clio: Rehearsal, clio: ClioClient, matter_id: int) -> None:
    at_clio.sandbox.switch(minimum_part_bytes=1000)
    parts = [BYTES[:60_000], BYTES[60_000:120_000], BYTES[120_000:]]
    plans = [plan(number, part) for number, part in enumerate(parts, 1)]

    room = clio.reserve_document("Bundle.pdf", parent=Parent.matter(matter_id), multiparts=plans[:2])
    rest = clio.more_parts(room.document_id, version_uuid=room.version_uuid, multiparts=plans[2:])
    for part in [*room.parts, *rest]:
        piece = parts[part.number - 1]
        clio.transfer(part.put_url, part.put_headers, io.BytesIO(piece), size=len(piece))
    filed = clio.confirm_document(room.document_id, version_uuid=room.version_uuid)

    assert filed.is_complete(version_uuid=room.version_uuid, size=len(BYTES))
    assert at_clio.sandbox.document(room.document_id)["sha256"] == SHA256


def test_a_damaged_part_is_noticed_by_storage(at_clio: Rehearsal, clio: ClioClient, matter_id: int) -> None:
    room = clio.reserve_document("Bundle.pdf", parent=Parent.matter(matter_id), multiparts=[plan(1, BYTES)])
    [part] = room.parts

    with pytest.raises(errors.StorageBadDigest):
        clio.transfer(part.put_url, part.put_headers, io.BytesIO(bytes(len(BYTES))), size=len(BYTES))


def plan(number: int, part: bytes) -> PartPlan:
    digest = hashlib.md5(part, usedforsecurity=False).digest()
    return PartPlan(number, len(part), base64.b64encode(digest).decode())


def test_what_was_filed_can_be_fetched_back(clio: ClioClient, matter_id: int) -> None:
    room = file(clio, matter_id)
    into = io.BytesIO()

    got = clio.download(room.document_id, into, most=len(BYTES))

    assert (got.sha256, into.getvalue()) == (SHA256, BYTES)
    with pytest.raises(errors.StorageDenied):
        clio.download(room.document_id, io.BytesIO(), most=len(BYTES) - 1)


def test_a_deleted_document_is_gone(at_clio: Rehearsal, clio: ClioClient, matter_id: int) -> None:
    room = file(clio, matter_id)

    clio.delete_document(room.document_id)

    assert at_clio.sandbox.document(room.document_id)["deleted_at"] is not None
    with pytest.raises(errors.NotFound):
        clio.document(room.document_id)


def test_a_matter_the_user_may_not_see_is_not_found(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int
) -> None:
    at_clio.sandbox.act("hide_matter", matter_id=matter_id, user_id=ALICE)

    with pytest.raises(errors.NotFound):
        clio.matter(matter_id)


def test_no_call_to_storage_carries_the_token_and_no_call_is_chunked(
    at_clio: Rehearsal, clio: ClioClient, matter_id: int
) -> None:
    file(clio, matter_id)

    puts = at_clio.sandbox.calls(listener="storage")
    names = [{name.lower() for name in call["headers"]} for call in puts]
    assert len(puts) == 1
    assert all("authorization" not in each and "transfer-encoding" not in each for each in names)
    assert all("content-length" in each for each in names)
