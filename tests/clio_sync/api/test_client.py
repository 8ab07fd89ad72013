"""How a call is made: with a token asked for each time, renewed once, reported, and only to its own host."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import httpx
import pytest

from clio_sync.api import (
    CallReport,
    ClioClient,
    FixedToken,
    Parent,
    RateReading,
    Secret,
    StoragePolicy,
    errors,
)
from tests.clio_sync.api.clio_script import STORAGE, TOKEN, answer, client, data, example, script

EXPIRED = "error-401-invalid-token"
NO_TOKEN = "error-401-missing-token"


class Renewing:
    """A token source with one newer token in its pocket."""

    def __init__(self, fresh: str | None = "fresh") -> None:
        self.fresh = fresh
        self.rejected: list[Secret] = []

    def __call__(self) -> Secret:
        return Secret(TOKEN)

    def on_rejected(self, token: Secret) -> Secret | None:
        self.rejected.append(token)
        return Secret(self.fresh) if self.fresh else None


@pytest.mark.parametrize("shape", [EXPIRED, NO_TOKEN])
def test_a_rejected_token_is_renewed_and_the_same_call_repeated(shape: str) -> None:
    clio, tokens = script(answer(shape), answer("document-create")), Renewing()

    with client(clio, tokens=tokens) as api:
        api.reserve_document("Letter.docx", parent=Parent.matter(1))

    first, second = clio.sent
    assert tokens.rejected == [Secret(TOKEN)]
    assert (first.headers["authorization"], second.headers["authorization"]) == (
        f"Bearer {TOKEN}",
        "Bearer fresh",
    )
    assert (first.url, first.content) == (second.url, second.content)


@pytest.mark.parametrize("shape", [EXPIRED, NO_TOKEN])
@pytest.mark.parametrize("fresh", ["fresh", None, TOKEN])
def test_a_token_is_renewed_once_and_then_a_person_is_needed(shape: str, fresh: str | None) -> None:
    clio, tokens = script(answer(shape)), Renewing(fresh)

    with client(clio, tokens=tokens) as api, pytest.raises(errors.TokenRejected) as caught:
        api.reserve_document("Letter.docx", parent=Parent.matter(1))

    assert len(clio.sent) == (2 if fresh == "fresh" else 1)
    assert len(tokens.rejected) == 1
    assert isinstance(caught.value, errors.NeedsReconnect)
    assert not caught.value.ambiguous


def test_a_fixed_token_is_never_renewed() -> None:
    clio = script(answer(EXPIRED))

    with client(clio) as api, pytest.raises(errors.TokenRejected):
        api.who_am_i()

    assert len(clio.sent) == 1


@pytest.mark.parametrize("status", [403, 404, 409, 422, 429, 500, 503])
def test_nothing_but_a_rejected_token_is_tried_again_here(status: int) -> None:
    clio, tokens = script(httpx.Response(status)), Renewing()

    with client(clio, tokens=tokens) as api, pytest.raises(errors.ClioError):
        api.who_am_i()

    assert len(clio.sent) == 1
    assert tokens.rejected == []


def test_trouble_while_renewing_reaches_the_caller() -> None:
    class Revoked(Renewing):
        def on_rejected(self, token: Secret) -> Secret | None:
            raise errors.GrantRevoked

    with client(script(answer(EXPIRED)), tokens=Revoked()) as api, pytest.raises(errors.GrantRevoked):
        api.who_am_i()


def test_each_request_is_reported_with_its_limit() -> None:
    reports: list[CallReport] = []
    told = example("document-show")["response"]
    clio = script(
        answer(EXPIRED),
        httpx.Response(200, json=told["body"], headers={**told["headers"], "x-request-id": "abc-1"}),
    )

    with client(clio, tokens=Renewing(), on_response=reports.append) as api:
        api.document(991200451)

    rejected, good = reports
    assert (rejected.route, rejected.status, rejected.rate) == ("GET documents/{id}", 401, RateReading())
    assert (good.status, good.request_id) == (200, "abc-1")
    assert (good.rate.limit, good.rate.remaining) == (50, 47)
    assert good.seconds >= 0


def test_a_call_without_an_answer_is_reported_too() -> None:
    reports: list[CallReport] = []

    lost = script(httpx.ConnectError("x"))

    with client(lost, on_response=reports.append) as api, pytest.raises(errors.Unreachable):
        api.who_am_i()

    assert [(report.route, report.status) for report in reports] == [("GET users/who_am_i", None)]


def test_a_call_can_be_held_back_before_it_is_made() -> None:
    clio = script(answer("who-am-i"))
    asked: list[str] = []

    def hold(route: str) -> None:
        asked.append(route)
        raise errors.RateLimited(retry_after=4)

    with client(clio, before_call=hold) as api, pytest.raises(errors.RateLimited) as caught:
        api.who_am_i()

    assert asked == ["GET users/who_am_i"]
    assert caught.value.retry_after == 4
    assert clio.sent == []


def test_every_page_of_a_list_is_a_call_of_its_own() -> None:
    routes: list[str] = []
    clio = script(answer("matters-list-page1"), answer("matters-list-last-page"))

    with client(clio, before_call=routes.append) as api:
        pages = list(api.matters(status=["open"], limit=2).pages())

    assert [page.records for page in pages] == [3, 3]
    assert routes == ["GET matters", "GET matters"]


def test_a_list_is_read_only_as_far_as_it_is_used() -> None:
    clio = script(answer("matters-list-page1"))

    with client(clio) as api:
        first = next(iter(api.matters(status=["open"], limit=2)))

    assert first.id == 48210337
    assert len(clio.sent) == 1


def test_filters_are_sent_as_clio_names_them() -> None:
    clio = script(httpx.Response(200, json={"data": [], "meta": {"paging": {}}}))

    with client(clio) as api:
        list(api.matters(query="Okafor & Söhne", ids=[3, 5]))
        list(api.folders(matter_id=48210337))
        list(api.users())
        list(
            api.find_documents(
                external_property_name="op", external_property_value="1", show_uncompleted=False
            )
        )

    matters, folders, users, documents = (request.url.params for request in clio.sent)
    assert (matters["query"], matters["status"]) == ("Okafor & Söhne", "open,pending")
    assert matters.get_list("ids[]") == ["3", "5"]
    assert (folders["matter_id"], "parent_id" in folders) == ("48210337", False)
    assert users["enabled"] == "true"
    assert "show_uncompleted" not in documents


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.clio.com",
        "https://app.clio.com:8443",
        "https://app.clio.com@evil.example",
    ],
)
def test_a_client_is_made_for_a_host_of_clio_or_not_at_all(origin: str) -> None:
    with pytest.raises(errors.AddressRefused):
        ClioClient(origin, FixedToken(Secret(TOKEN)), storage_policy=STORAGE)


def test_a_sandbox_client_is_made_for_the_sandbox() -> None:
    clio = script(answer("who-am-i"))
    policy = StoragePolicy.sandbox("http://127.0.0.1:9001")

    with ClioClient(
        "http://127.0.0.1:9000", FixedToken(Secret(TOKEN)), storage_policy=policy, transport=clio.transport
    ) as api:
        api.who_am_i()

    assert str(clio.last.url).startswith("http://127.0.0.1:9000/api/v4/users/who_am_i.json?")


def test_the_environment_does_not_reroute_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    clio = script(answer("who-am-i"))

    with client(clio) as api:
        assert api.who_am_i().id == 350771


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/x",
        "http://169.254.169.254/latest",
        "/relative",
        "https://clio-documents.s3.us-east-1.amazonaws.com.evil.example/x",
    ],
)
def test_a_download_is_not_followed_to_a_strange_place(location: str) -> None:
    clio = script(httpx.Response(303, headers={"location": location}))

    with client(clio) as api, pytest.raises(errors.StorageAddressRefused):
        api.download(7, BytesIO(), most=10)

    assert len(clio.sent) == 1


@pytest.mark.parametrize("told", [httpx.Response(200), httpx.Response(303), httpx.Response(302)])
def test_a_download_without_a_redirect_is_a_surprise(told: httpx.Response) -> None:
    with client(script(told)) as api, pytest.raises(errors.ClioSurprised):
        api.download(7, BytesIO(), most=10)


def test_deleting_asks_for_no_fields_and_reads_no_body() -> None:
    clio = script(httpx.Response(204))

    with client(clio) as api:
        api.delete_document(7)

    assert str(clio.last.url) == "https://app.clio.com/api/v4/documents/7.json"


ASKS: dict[str, Callable[[ClioClient], object]] = {
    "matter": lambda api: api.matter(7),
    "document": lambda api: api.document(7),
    "who_am_i": lambda api: api.who_am_i(),
}


@pytest.mark.parametrize("name", ASKS)
def test_the_version_of_the_api_is_pinned_on_every_call(name: str) -> None:
    clio = script(data({"id": 7, "account": {"id": 1}}))

    with client(clio) as api:
        ASKS[name](api)

    assert clio.last.headers["x-api-version"] == "4.0.13"
    assert "fields" in clio.last.url.params
