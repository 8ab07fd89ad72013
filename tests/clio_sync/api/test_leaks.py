"""Planted secrets are looked for wherever an error, a log line or a printed object could carry them."""

from __future__ import annotations

import base64
import copy
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from clio_sync.api import ClioClient, Parent, Secret, errors, oauth
from clio_sync.api.oauth import OAuthApp
from clio_sync.api.outbound import keep_library_logs_quiet
from tests.clio_sync.api.clio_script import Script, Step, Trickle, client, data, example, script

ACCESS = "canary/ACCESS+7001"
FRESH = "canary/FRESH+7002"
REFRESH = "canary/REFRESH+7003"
CODE = "canary/CODE+7004"
APP_SECRET = "canary/APP+7005"
SIGNATURE = "canary-SIGNATURE-7006"
CLIENT_TEXT = "Okafor divorce settlement canary"
CANARIES = [ACCESS, FRESH, REFRESH, CODE, APP_SECRET, SIGNATURE, CLIENT_TEXT]

PUT_URL = f"https://clio-documents.s3.us-east-1.amazonaws.com/uploads/x?X-Amz-Signature={SIGNATURE}"
UUID = "5f2c1d0e-8a44-4b7e-9c51-3d6e0f7a2b18"
APP = OAuthApp("https://app.clio.com", "key", Secret(APP_SECRET))


def forms(canary: str) -> Iterator[str]:
    yield canary
    yield quote(canary, safe="")
    yield base64.b64encode(canary.encode()).decode().rstrip("=")
    yield canary.encode().hex()


def assert_clean(text: str, *, of: list[str] = CANARIES) -> None:
    found = [canary for canary in of for form in forms(canary) if form in text]
    assert not found, f"{found} in {text[:2000]}"


class Tokens:
    def __call__(self) -> Secret:
        return Secret(ACCESS)

    def on_rejected(self, token: Secret) -> Secret | None:
        return Secret(FRESH)


@dataclass
class Case:
    ask: Callable[[Script], object]
    steps: list[Step] = field(default_factory=list)


def with_client(ask: Callable[[ClioClient], object]) -> Callable[[Script], object]:
    def run(clio: Script) -> object:
        with client(clio, tokens=Tokens()) as api:
            return ask(api)

    return run


def send(api: ClioClient, **changes: Any) -> object:
    given: dict[str, Any] = {
        "url": PUT_URL,
        "headers": (("Content-Type", "a/b"),),
        "body": CLIENT_TEXT.encode(),
        "size": 32,
    } | changes
    return api.transfer(
        Secret(given["url"]),
        given["headers"],
        io.BytesIO(given["body"]),
        size=given["size"],
        sha256=given.get("sha256", ""),
    )


def made(**changes: Any) -> dict[str, Any]:
    version = {"uuid": UUID, "put_url": PUT_URL, "put_headers": []} | changes
    return {"id": 7, "name": CLIENT_TEXT, "latest_document_version": version}


reserve = with_client(lambda api: api.reserve_document(CLIENT_TEXT, parent=Parent.matter(1)))
confirm = with_client(lambda api: api.confirm_document(7, version_uuid=UUID))
look = with_client(lambda api: api.document(7))
search = with_client(lambda api: list(api.matters(query=CLIENT_TEXT)))
transfer = with_client(send)
fetch = with_client(lambda api: api.download(7, io.BytesIO(), most=3))


def renew(clio: Script) -> object:
    return oauth.refresh(APP, refresh_token=Secret(REFRESH), transport=clio.transport)


def trade(clio: Script) -> object:
    return oauth.exchange_code(
        APP, code=Secret(CODE), redirect_uri="https://p.example/c", transport=clio.transport
    )


def give_back(clio: Script) -> None:
    oauth.deauthorize(APP, access_token=Secret(ACCESS), transport=clio.transport)


def told(status: int, error_type: str = "ArgumentError", message: str = CLIENT_TEXT) -> httpx.Response:
    body = {
        "error": {
            "type": error_type,
            "message": f"{message} {ACCESS} {PUT_URL}",
            "errors": {CLIENT_TEXT: [ACCESS]},
        }
    }
    return httpx.Response(status, json=body, headers={"x-request-id": f"{ACCESS} {PUT_URL}"})


def xml(status: int, code: str) -> httpx.Response:
    message = f"<Message>{CLIENT_TEXT} {SIGNATURE}</Message><URL>{SIGNATURE}</URL>"
    return httpx.Response(status, content=f"<Error><Code>{code}</Code>{message}</Error>".encode())


LOUD = [
    httpx.ConnectError(f"{PUT_URL} {ACCESS}"),
    httpx.ReadTimeout(f"{PUT_URL} {ACCESS}"),
    httpx.LocalProtocolError(f"Illegal header value b'Bearer {ACCESS}'"),
    httpx.RemoteProtocolError(f"{PUT_URL} {ACCESS}"),
]

CASES: dict[str, Case] = {
    **{
        f"reserve {status}": Case(reserve, [told(status)])
        for status in (400, 401, 403, 404, 409, 410, 412, 422, 429, 500)
    },
    **{
        f"confirm {kind}": Case(confirm, [told(422, kind)])
        for kind in ("UploadNotFoundError", "UploadTimeoutError", "X")
    },
    **{f"lost {number}": Case(reserve, [error]) for number, error in enumerate(LOUD)},
    **{f"lost transfer {number}": Case(transfer, [error]) for number, error in enumerate(LOUD)},
    **{f"lost refresh {number}": Case(renew, [error]) for number, error in enumerate(LOUD)},
    "broken off": Case(reserve, [httpx.Response(201, stream=Trickle(PUT_URL.encode(), LOUD[1]))]),
    "truncated": Case(reserve, [httpx.Response(201, content=json.dumps({"data": made()})[:-9].encode())]),
    "wrong id": Case(look, [data(made() | {"id": ACCESS})]),
    "wrong header": Case(reserve, [data(made(put_headers=[{"name": "Authorization", "value": ACCESS}]))]),
    "wrong version": Case(reserve, [data(made(version_number=PUT_URL))]),
    "redirect": Case(reserve, [httpx.Response(307, headers={"location": PUT_URL})]),
    "strange next page": Case(
        search, [httpx.Response(200, json={"data": [], "meta": {"paging": {"next": PUT_URL}}})]
    ),
    "type is a token": Case(look, [told(422, ACCESS)]),
    **{
        f"storage {code}": Case(transfer, [xml(403, code)])
        for code in ("AccessDenied", "SignatureDoesNotMatch", SIGNATURE)
    },
    "storage trouble": Case(transfer, [xml(503, "SlowDown")]),
    "shorter file": Case(with_client(lambda api: send(api, size=99)), [httpx.Response(200)]),
    "other bytes": Case(with_client(lambda api: send(api, sha256="0" * 64)), [httpx.Response(200)]),
    "strange storage": Case(
        with_client(lambda api: send(api, url=PUT_URL.replace("clio-", "evil-"))), [httpx.Response(200)]
    ),
    "unreadable address": Case(
        with_client(lambda api: send(api, url=f"{PUT_URL}\r\n")), [httpx.Response(200)]
    ),
    "storage header": Case(
        with_client(lambda api: send(api, headers=(("Authorization", "x"),))), [httpx.Response(200)]
    ),
    "download elsewhere": Case(
        fetch, [httpx.Response(303, headers={"location": PUT_URL.replace("clio-", "evil-")})]
    ),
    "download too long": Case(
        fetch,
        [
            httpx.Response(303, headers={"location": PUT_URL}),
            httpx.Response(200, content=CLIENT_TEXT.encode()),
        ],
    ),
    **{
        f"refresh {status}": Case(
            renew, [httpx.Response(status, json={"error": "invalid_grant", "error_description": REFRESH})]
        )
        for status in (400, 401, 500)
    },
    "refresh html": Case(renew, [httpx.Response(200, html=f"<html>{REFRESH}")]),
    "refresh strange token": Case(renew, [httpx.Response(200, json={"access_token": f"{ACCESS}\n"})]),
    "code without refresh token": Case(trade, [httpx.Response(200, json={"access_token": ACCESS})]),
    "code refused": Case(trade, [httpx.Response(400, json={"error": CODE})]),
    "giving back fails": Case(give_back, [httpx.Response(401, json={"error": ACCESS})]),
}


@pytest.mark.parametrize("name", CASES)
def test_no_error_carries_a_secret_anywhere(name: str, caplog: pytest.LogCaptureFixture) -> None:
    case = CASES[name]
    caplog.set_level(logging.DEBUG)

    with pytest.raises(errors.ClioError) as caught:
        case.ask(script(*copy.copy(case.steps)))

    error = caught.value
    assert_clean(f"{error!s} {error!r} {error.args} {error.sentence} {vars(error)}")
    assert_clean(caplog.text)
    assert error.__context__ is None
    assert error.__cause__ is None


@pytest.mark.parametrize("name", CASES)
def test_no_traceback_holds_a_secret_even_with_local_variables(name: str) -> None:
    """Error pages and error trackers print the local variables of each frame."""
    case = CASES[name]

    with pytest.raises(errors.ClioError) as caught:
        case.ask(script(*copy.copy(case.steps)))

    ours = [
        each
        for each in traceback.walk_tb(caught.value.__traceback__)
        if "/tests/" not in each[0].f_code.co_filename
    ]
    printed = "".join(traceback.StackSummary.extract(iter(ours), capture_locals=True).format())
    assert "clio_sync/api" in printed
    assert_clean(printed, of=[canary for canary in CANARIES if canary != CLIENT_TEXT])


def test_the_libraries_below_log_no_address_however_loud_they_are_made(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = example("document-put-bytes")
    keep_library_logs_quiet()
    for name in ("httpx", "httpcore", "httpcore.connection", "httpcore.http11"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.DEBUG)

    transfer(script(httpx.Response(200, headers=told["response"]["headers"])))
    for name in ("httpcore.http11", "httpcore.connection"):
        logging.getLogger(name).debug("send_request_headers %s", ACCESS)
    look(script(data(made(fully_uploaded=False))))

    assert "GET documents/{id} answered 200" in caplog.text
    assert_clean(caplog.text)


def test_what_comes_back_shows_no_secret_when_printed() -> None:
    with client(script(data(made(fully_uploaded=False)))) as api:
        room = api.reserve_document("x", parent=Parent.matter(1))
        document = api.document(7)
    tokens = renew(script(httpx.Response(200, json={"access_token": ACCESS, "refresh_token": REFRESH})))

    printed = f"{room} {room!r} {asdict(room)} {document!r} {document.latest_version} {tokens!r} {APP!r}"
    assert_clean(printed, of=[canary for canary in CANARIES if canary != CLIENT_TEXT])
    assert room.put_url.reveal() == PUT_URL


def test_a_secret_hides_from_every_way_of_printing_it() -> None:
    secret = Secret(ACCESS)

    assert {str(secret), repr(secret), f"{secret}", f"{secret:>40}", f"{secret!r}"} == {"***"}
    assert [secret] == [Secret(ACCESS)]
    assert secret != Secret(FRESH)
    assert secret != ACCESS
    assert len({secret, Secret(ACCESS)}) == 1
    assert copy.deepcopy(secret) == secret
    assert (bool(secret), bool(Secret(""))) == (True, False)
    assert not hasattr(secret, "__dict__")


def test_a_secret_does_not_ride_along_in_a_message_or_a_cache() -> None:
    for write_down in (pickle.dumps, json.dumps):
        with pytest.raises(TypeError):
            write_down(Secret(ACCESS))


def test_every_error_has_a_sentence_for_a_lawyer() -> None:
    def below(kind: type[errors.ClioError]) -> Iterator[type[errors.ClioError]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    kinds = set(below(errors.ClioError))

    assert len(kinds) >= 25
    for kind in kinds - {errors.ClioSurprised}:
        assert kind().sentence.endswith(".")
        assert (errors.__doc__ or "").count(kind.__name__), f"{kind.__name__} is not drawn in the tree"
        own = [
            each
            for each in (errors.RetryLater, errors.NeedsReconnect, errors.Refused)
            if issubclass(kind, each)
        ]
        assert len(own) <= 1
