"""Answers no honest Clio would give: each ends in the right error, and none is believed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from clio_sync.api import ClioClient, Parent, PartPlan, errors
from clio_sync.api.outbound import API_BYTES
from tests.clio_sync.api.clio_script import Step, Trickle, client, data, example, script

UUID = "5f2c1d0e-8a44-4b7e-9c51-3d6e0f7a2b18"


def reserved(**changes: Any) -> dict[str, Any]:
    """The answer to a reservation, with its version's attributes changed."""
    made: dict[str, Any] = example("document-create")["response"]["body"]["data"]
    made["latest_document_version"] |= changes
    return made


def reserve(clio: ClioClient) -> object:
    return clio.reserve_document("Letter.docx", parent=Parent.matter(48210337))


def confirm(clio: ClioClient) -> object:
    return clio.confirm_document(991200451, version_uuid=UUID)


def look(clio: ClioClient) -> object:
    return clio.document(991200451)


def header(name: str, value: str) -> dict[str, Any]:
    return reserved(put_headers=[{"name": name, "value": value}])


UNREADABLE: dict[str, tuple[httpx.Response, str]] = {
    "html": (httpx.Response(201, html="<html>Log in</html>"), "the body is not JSON"),
    "nothing": (httpx.Response(201, content=b""), "the body is not JSON"),
    "truncated": (httpx.Response(201, content=b'{"data": {"id": 991200451, "latest'), "the body is not JSON"),
    "not utf-8": (httpx.Response(201, content=b'{"data": "\xff\xfe"}'), "the body is not JSON"),
    "a list": (httpx.Response(201, content=b"[]"), "the body is not an object"),
    "nan": (httpx.Response(201, content=b'{"data": {"id": NaN}}'), "the body holds a number that is not one"),
    "a number of 5000 digits": (
        httpx.Response(201, content=b'{"data": ' + b"9" * 5000 + b"}"),
        "the body is not JSON",
    ),
    "deep nesting": (httpx.Response(201, content=b"[" * 200_000), "the body is not JSON"),
    "a key twice": (
        httpx.Response(201, content=b'{"data": {"id": 1, "id": 2}}'),
        "the body has a key twice",
    ),
    "too long": (
        httpx.Response(201, stream=Trickle(*[b" " * 65536] * 100)),
        "the body is longer than any answer the portal asks for",
    ),
    "a gzip bomb": (
        httpx.Response(
            201, headers={"content-encoding": "gzip"}, stream=Trickle(gzip.compress(bytes(API_BYTES + 1)))
        ),
        "the body is longer than any answer the portal asks for",
    ),
    "half a gzip": (
        httpx.Response(
            201, headers={"content-encoding": "gzip"}, stream=Trickle(gzip.compress(b'{"data": {}}')[:20])
        ),
        "the body is packed in a way that cannot be read",
    ),
    "brotli": (
        httpx.Response(201, headers={"content-encoding": "br"}, stream=Trickle(b"\x8b\x02\x80")),
        "the body is packed in a way that cannot be read",
    ),
    "no data": (httpx.Response(201, json={"meta": {}}), "data is missing"),
    "data is text": (data("yes"), "data is not an object"),
    "id as text": (data(reserved() | {"id": "991200451"}), "data.id is not a whole number"),
    "id is true": (data(reserved() | {"id": True}), "data.id is not a whole number"),
    "id is negative": (data(reserved() | {"id": -1}), "data.id is not a whole number"),
    "id is zero": (data(reserved() | {"id": 0}), "data.id is not an id"),
    "id is a fraction": (data(reserved() | {"id": 1.5}), "data.id is not a whole number"),
    "no version": (data({"id": 991200451}), "data.latest_document_version is missing"),
    "no put_url": (data(reserved(put_url=None)), "data.latest_document_version.put_url is missing"),
    "empty put_url": (data(reserved(put_url="")), "data.latest_document_version.put_url is empty"),
    "put_url is a list": (data(reserved(put_url=[])), "data.latest_document_version.put_url is not text"),
    "strange uuid": (data(reserved(uuid="../../x")), "data.latest_document_version.uuid is not a uuid"),
    "a uuid that no row holds": (
        data(reserved(uuid="a" * 61)),
        "data.latest_document_version.uuid is not a uuid",
    ),
    "a version number that no row holds": (
        data(reserved(version_number=2**31)),
        "data.latest_document_version.version_number is too large",
    ),
    "NUL in a text": (
        data(reserved(put_url="https://a\0b")),
        "data.latest_document_version.put_url is not text",
    ),
    "half a character": (
        httpx.Response(201, content=json.dumps({"data": reserved(put_url="https://a\ud800b")}).encode()),
        "data.latest_document_version.put_url is not text",
    ),
    "put_headers is text": (
        data(reserved(put_headers="Host: x")),
        "data.latest_document_version.put_headers is not a list",
    ),
    "a header that is text": (
        data(reserved(put_headers=["Host: x"])),
        "data.latest_document_version.put_headers[0] is not an object",
    ),
    **{
        f"header {name}": (
            data(header(name, "x")),
            "data.latest_document_version.put_headers has a header that is not allowed",
        )
        for name in [
            "Host",
            "authorization",
            "Transfer-Encoding",
            "Cookie",
            "Content-Type ",
            "x-amz-a\r\nHost",
        ]
    },
    "a line break in a header": (
        data(header("Content-Type", "text/plain\r\nHost: evil.example")),
        "data.latest_document_version.put_headers has a header value that is not allowed",
    ),
    "a header twice": (
        data(
            reserved(
                put_headers=[
                    {"name": "Content-Type", "value": "a/b"},
                    {"name": "content-type", "value": "c/d"},
                ]
            )
        ),
        "data.latest_document_version.put_headers has a header twice",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_reservation_that_cannot_be_read_may_still_have_been_made(case: str) -> None:
    clio_answer, complaint = UNREADABLE[case]

    with client(script(clio_answer)) as api, pytest.raises(errors.ClioSurprised) as caught:
        reserve(api)

    assert f"{caught.value.field} {caught.value.problem}" == complaint
    assert caught.value.ambiguous
    assert caught.value.sentence == f"Clio's answer could not be understood: {complaint}."


def test_a_read_that_cannot_be_understood_leaves_nothing_open() -> None:
    with (
        client(script(httpx.Response(200, html="<html>"))) as api,
        pytest.raises(errors.ClioSurprised) as caught,
    ):
        look(api)

    assert not caught.value.ambiguous


@pytest.mark.parametrize("ask", [look, confirm, lambda clio: clio.matter(991200451)])
def test_the_record_of_another_id_is_not_taken_for_the_one_asked_for(
    ask: Callable[[ClioClient], object],
) -> None:
    other = example("document-show")["response"]["body"]["data"] | {"id": 991200452}

    with client(script(data(other))) as api, pytest.raises(errors.ClioSurprised, match="another record"):
        ask(api)


def test_a_new_version_of_another_document_is_not_taken_for_ours() -> None:
    with (
        client(script(data(reserved(), status=201))) as api,
        pytest.raises(errors.ClioSurprised, match="another"),
    ):
        api.reserve_document("Letter.docx", parent=Parent.document(991200452))


@pytest.mark.parametrize("told", [{"fully_uploaded": False}, {"size": 1}, {"uuid": "another-version-uuid"}])
def test_a_confirmation_that_proves_less_is_not_complete(told: dict[str, Any]) -> None:
    body = example("document-patch-fully-uploaded")["response"]["body"]["data"]
    body["latest_document_version"] |= told

    with client(script(data(body))) as api:
        filed = api.confirm_document(991200451, version_uuid=UUID)

    assert not filed.is_complete(version_uuid=UUID, size=18422)


@pytest.mark.parametrize("told", ["true", 1, None])
def test_a_confirmation_that_says_true_in_other_words_is_not_believed(told: object) -> None:
    body = example("document-patch-fully-uploaded")["response"]["body"]["data"]
    body["latest_document_version"]["fully_uploaded"] = told

    with client(script(data(body))) as api, pytest.raises(errors.ClioSurprised) as caught:
        confirm(api)

    assert caught.value.field == "data.latest_document_version.fully_uploaded"
    assert caught.value.ambiguous


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("ask", [reserve, look])
def test_a_redirect_is_refused_and_never_followed(status: int, ask: Callable[[ClioClient], object]) -> None:
    clio = script(httpx.Response(status, headers={"location": "http://169.254.169.254/latest"}))

    with client(clio) as api, pytest.raises(errors.ClioSurprised, match="redirect") as caught:
        ask(api)

    assert len(clio.sent) == 1
    assert caught.value.ambiguous == (ask is reserve)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize(
    "body", [b"<html>bad gateway</html>", b"", b'{"error": 7}', b'{"error": {"type": 7}}']
)
def test_trouble_at_clio_is_retried_later_and_a_write_is_looked_up_first(status: int, body: bytes) -> None:
    clio = script(httpx.Response(status, content=body, headers={"retry-after": "7"}))

    with client(clio) as api:
        with pytest.raises(errors.ServerTrouble) as writing:
            reserve(api)
        with pytest.raises(errors.ServerTrouble) as reading:
            look(api)

    assert (writing.value.ambiguous, reading.value.ambiguous) == (True, False)
    assert writing.value.retry_after == 7
    assert len(clio.sent) == 2


@pytest.mark.parametrize(
    ("trouble", "ambiguous"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("busy"), False),
        (httpx.WriteError("broken pipe"), True),
        (httpx.WriteTimeout("slow"), True),
        (httpx.ReadTimeout("slow"), True),
        (httpx.ReadError("reset"), True),
        (httpx.RemoteProtocolError("server went away"), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_lost_call_is_ambiguous_once_the_request_has_left(trouble: Exception, ambiguous: bool) -> None:
    with client(script(trouble)) as api:
        with pytest.raises(errors.Unreachable) as writing:
            reserve(api)
        with pytest.raises(errors.Unreachable) as reading:
            look(api)

    assert writing.value.ambiguous is ambiguous
    assert reading.value.ambiguous is False


def test_an_answer_that_breaks_off_is_a_lost_call() -> None:
    broken = httpx.Response(201, stream=Trickle(b'{"data": ', httpx.ReadError("reset")))

    with client(script(broken)) as api, pytest.raises(errors.Unreachable) as caught:
        reserve(api)

    assert caught.value.ambiguous


def test_an_answer_that_trickles_in_for_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 20))
    monkeypatch.setattr("clio_sync.api.outbound.time.monotonic", lambda: next(clock))
    slow = httpx.Response(200, stream=Trickle(*[b" "] * 50))

    with client(script(slow)) as api, pytest.raises(errors.Unreachable):
        look(api)


def test_a_packed_answer_is_unpacked() -> None:
    body = json.dumps(example("document-show")["response"]["body"]).encode()
    packed = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Trickle(gzip.compress(body)))

    with client(script(packed)) as api:
        assert api.document(991200451).id == 991200451


ANY_4XX = [400, 404, 409, 410, 412, 422, 423]


@pytest.mark.parametrize("status", ANY_4XX)
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"type": "UploadNotFoundError", "message": "x"}, errors.UploadNotFound),
        ({"type": "UploadTimeoutError", "message": "x"}, errors.UploadTimeout),
        ({"type": "Other", "message": "A matching remote file was not found for X"}, errors.UploadNotFound),
        ({"type": "Other", "message": "A timeout occurred verifying the remote file."}, errors.UploadTimeout),
        (
            {"type": "Other", "message": "The version was already marked fully uploaded"},
            errors.AlreadyUploaded,
        ),
        ({"type": "AlreadyUploadedError", "message": "x"}, errors.AlreadyUploaded),
    ],
)
def test_the_errors_of_confirming_are_known_whatever_their_status(
    status: int, told: dict[str, str], expected: type[errors.ClioError]
) -> None:
    with client(script(httpx.Response(status, json={"error": told}))) as api:
        with pytest.raises(errors.ClioError) as confirming:
            confirm(api)
        with pytest.raises(errors.ClioError) as looking:
            look(api)

    assert type(confirming.value) is expected
    assert type(looking.value) is not expected


@pytest.mark.parametrize(
    ("status", "expected"), [(401, errors.TokenRejected), (403, errors.Forbidden), (429, errors.RateLimited)]
)
def test_already_in_another_refusal_does_not_look_like_filed(
    status: int, expected: type[errors.ClioError]
) -> None:
    told = {"error": {"type": "X", "message": "You have already been told"}}

    with client(script(httpx.Response(status, json=told))) as api, pytest.raises(expected):
        confirm(api)


def test_an_upload_timeout_with_a_5xx_is_still_an_upload_timeout() -> None:
    told = {"error": {"type": "UploadTimeoutError", "message": "x"}}

    with client(script(httpx.Response(504, json=told))) as api, pytest.raises(errors.UploadTimeout):
        confirm(api)


def test_a_5xx_that_mentions_already_is_only_trouble() -> None:
    told = httpx.Response(500, json={"error": {"type": "X", "message": "already"}})

    with client(script(told)) as api, pytest.raises(errors.ServerTrouble) as caught:
        confirm(api)

    assert caught.value.ambiguous


def test_attributes_clio_objects_to_are_named_without_its_words() -> None:
    told = {
        "error": {
            "type": "ArgumentError",
            "message": "m",
            "errors": {"name": ["Okafor"], "Okafor v Brandt": ["x"]},
        }
    }

    with client(script(httpx.Response(422, json=told))) as api, pytest.raises(errors.Invalid) as caught:
        reserve(api)

    assert caught.value.attributes == ("name",)
    assert caught.value.sentence == "Clio refused the request: it objects to name."
    assert "Okafor" not in repr(caught.value)


NEXT = "https://app.clio.com/api/v4/matters.json?page_token=abc"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/api/v4/matters.json?page_token=abc",
        "http://app.clio.com/api/v4/matters.json?page_token=abc",
        "https://app.clio.com:8443/api/v4/matters.json?page_token=abc",
        "https://app.clio.com.evil.example/api/v4/matters.json",
        "https://app.clio.com@evil.example/api/v4/matters.json",
        "https://user:pass@app.clio.com/api/v4/matters.json?page_token=abc",
        "https://ca.app.clio.com/api/v4/matters.json?page_token=abc",
        "https://app.clio.com/api/v4/users.json?page_token=abc",
        "https://app.clio.com/api/v4/matters/../contacts.json",
        "//evil.example/api/v4/matters.json",
        "/api/v4/matters.json?page_token=abc",
        "javascript:alert(1)",
        "https://[::1/",
        7,
    ],
)
def test_a_next_page_anywhere_else_is_not_asked_for(address: object) -> None:
    clio = script(httpx.Response(200, json={"data": [], "meta": {"paging": {"next": address}}}))

    with client(clio) as api, pytest.raises(errors.ClioSurprised) as caught:
        list(api.matters())

    assert caught.value.field == "meta.paging.next"
    assert len(clio.sent) == 1


def test_a_list_that_leads_to_itself_is_not_walked_forever() -> None:
    clio = script(httpx.Response(200, json={"data": [], "meta": {"paging": {"next": NEXT}}}))

    with client(clio) as api, pytest.raises(errors.ClioSurprised):
        list(api.matters())

    assert len(clio.sent) == 2


def test_a_list_without_end_comes_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clio_sync.api.paging.MOST_PAGES", 5)
    steps: list[Step] = [
        httpx.Response(200, json={"data": [], "meta": {"paging": {"next": f"{NEXT}{page}"}}})
        for page in range(9)
    ]

    with client(script(*steps)) as api, pytest.raises(errors.ClioSurprised, match="never comes to an end"):
        list(api.matters())


def test_fields_and_words_clio_adds_later_are_ignored() -> None:
    body = {"id": 7, "status": "Hibernating", "mood": {"deep": [1]}, "client": {"id": 8, "name": "A", "x": 1}}

    with client(script(data(body))) as api:
        found = api.matter(7)

    assert (found.status, found.is_closed) == ("Hibernating", False)


def test_control_of_what_is_sent_stays_with_the_caller() -> None:
    with client(script(data({}))) as api:
        with pytest.raises(ValueError, match="at most 5"):
            api.reserve_document(
                "a", parent=Parent.matter(1), external_properties={str(n): "x" for n in range(6)}
            )
        with pytest.raises(ValueError, match="at most 50"):
            api.more_parts(1, version_uuid=UUID, multiparts=[PartPlan(1, 5_242_880)] * 51)
