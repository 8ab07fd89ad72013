"""Every example of the wire format that concerns a call of the portal, played against the real sandbox."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.clio_contract.checker import problems_of
from tests.sandbox_process import ALICE, SandboxProcess, running_sandbox

FOLDER = Path(__file__).parent / "examples"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
PART = b"p" * 1024

# Keys whose values the example invents: only their kind is compared.
INVENTED = {
    *(
        "id",
        "etag",
        "uuid",
        "put_url",
        "access_token",
        "refresh_token",
        "created_at",
        "updated_at",
        "received_at",
    ),
    *("display_number", "description", "email", "records", "next", "previous", "size", "roles", "time_zone"),
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), minimum_part_bytes=0) as started:
        yield started


class World:
    """The sandbox, and what an example needs to be there before it is played."""

    def __init__(self, sandbox: SandboxProcess, example: dict[str, Any]) -> None:
        self.sandbox = sandbox
        self.example = example
        self.request: dict[str, Any] = example["request"]
        tokens = sandbox.tokens(ALICE)
        self.access_token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]
        self.matter_id = sandbox.matter_id("2026-0042")

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = self.request["body"].get("data", self.request["body"])
        return body

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.access_token}", **options.pop("headers", {})}
        return self.sandbox.http.request(method, f"{self.sandbox.api_url}{path}", headers=headers, **options)

    def reserve(self, **more: Any) -> Any:
        fields = "id,etag,latest_document_version{uuid,put_url,put_headers,multiparts}"
        parent = {"id": self.matter_id, "type": "Matter"}
        data = {"name": "Engagement letter - Okafor.docx", "parent": parent, **more}
        answer = self.api("POST", "/api/v4/documents.json", params={"fields": fields}, json={"data": data})
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    def confirm(self, reserved: Any, content: bytes = b"some bytes") -> None:
        version = reserved["latest_document_version"]
        headers = {header["name"]: header["value"] for header in version["put_headers"]}
        assert self.sandbox.http.put(version["put_url"], content=content, headers=headers).is_success
        data = {"uuid": version["uuid"], "fully_uploaded": True}
        assert self.api("PATCH", f"/api/v4/documents/{reserved['id']}.json", json={"data": data}).is_success

    def upload(self, **more: Any) -> Any:
        reserved = self.reserve(**more)
        self.confirm(reserved)
        return reserved

    def aim(self, reserved: Any) -> None:
        """Let the example's path and body mean this document."""
        self.request["path"] = re.sub(r"(documents/)\d+", rf"\g<1>{reserved['id']}", self.request["path"])
        if "uuid" in self.request.get("body", {}).get("data", {}):
            self.body["uuid"] = reserved["latest_document_version"]["uuid"]

    def play(self) -> httpx.Response:
        """Send the example's request as it stands, with this sandbox's hosts and tokens."""
        url = self.request.get("url") or f"https://app.clio.com{self.request['path']}"
        if urlsplit(url).netloc == "app.clio.com":
            url = url.replace("https://app.clio.com", self.sandbox.api_url)
        headers = {name: self._own(value) for name, value in self.request["headers"].items()}
        options: dict[str, Any] = {"params": self.request["query"]} if "query" in self.request else {}
        return self.sandbox.http.request(
            self.request["method"], url, headers=headers, content=self._content(), **options
        )

    def _own(self, value: str) -> str:
        return value.replace("7001-EXAMPLEaccessTOKENnotreal", self.access_token)

    def _content(self) -> bytes | None:
        body = self.request.get("body")
        if isinstance(body, bytes) or body is None:
            return body
        if "urlencoded" in self.request["headers"].get("Content-Type", ""):
            return httpx.Request("POST", "http://x", data=body).content
        return json.dumps(body).encode()


# What each example needs first.


def _nothing(world: World) -> None:
    """This example can be played as it stands."""


def _in_matter(world: World) -> None:
    world.body["parent"]["id"] = world.matter_id


def _in_folder(world: World) -> None:
    query = {"matter_id": str(world.matter_id), "query": "Correspondence"}
    world.body["parent"]["id"] = world.api("GET", "/api/v4/folders.json", params=query).json()["data"][0][
        "id"
    ]


def _new_version(world: World) -> None:
    world.body["parent"]["id"] = world.upload()["id"]


def _multipart(world: World) -> None:
    _in_matter(world)
    for part in world.body["multiparts"]:
        part |= {"content_length": len(PART), "content_md5": b64encode(hashlib.md5(PART).digest()).decode()}
    for part in world.example["response"]["body"]["data"]["latest_document_version"]["multiparts"]:
        part["put_headers"] = [
            {"name": "Content-Length", "value": str(len(PART))},
            {"name": "Content-MD5", "value": b64encode(hashlib.md5(PART).digest()).decode()},
        ]


def _uploaded(world: World) -> None:
    world.aim(world.upload())


def _reserved_and_transferred(world: World) -> None:
    reserved = world.reserve()
    version = reserved["latest_document_version"]
    headers = {header["name"]: header["value"] for header in version["put_headers"]}
    world.sandbox.http.put(version["put_url"], content=b"some bytes", headers=headers)
    world.aim(reserved)


def _more_parts(world: World) -> None:
    first = [{"part_number": 1, "content_length": 1}]
    world.aim(world.reserve(multiparts=first))


def _not_transferred(world: World) -> None:
    reserved = world.reserve()
    world.aim(reserved)
    error = world.example["response"]["body"]["error"]
    error["message"] = re.sub(r"\S+$", reserved["latest_document_version"]["uuid"], error["message"])


def _times_out(world: World) -> None:
    world.sandbox.switch(confirm_times_out=1)
    _reserved_and_transferred(world)


def _put(world: World) -> None:
    world.request["url"] = world.reserve()["latest_document_version"]["put_url"]
    world.request["body"] = b"b" * int(world.request["headers"].get("Content-Length", "9"))


def _put_expired(world: World) -> None:
    _put(world)
    world.sandbox.advance(601)


def _put_part(world: World) -> None:
    digest = b64encode(hashlib.md5(PART).digest()).decode()
    part = {"part_number": 2, "content_length": len(PART), "content_md5": digest}
    reserved = world.reserve(multiparts=[part])["latest_document_version"]["multiparts"][0]
    world.request["url"] = reserved["put_url"]
    world.request["headers"] = {"Content-Length": str(len(PART)), "Content-MD5": digest}
    world.request["body"] = PART


def _damaged_part(world: World) -> None:
    _put_part(world)
    world.request["body"] = PART[:-1] + b"X"


def _shown(world: World) -> None:
    properties = [{"name": "portal_draft", "value": "draft-20917"}, {"name": "portal_version", "value": "3"}]
    world.aim(world.upload(document_category={"id": 41007}, external_properties=properties))


def _known_etag(world: World) -> None:
    reserved = world.upload()
    world.aim(reserved)
    etag = world.api("GET", f"/api/v4/documents/{reserved['id']}.json").json()["data"]["etag"]
    world.request["headers"]["IF-NONE-MATCH"] = etag


def _two_versions(world: World) -> None:
    first = world.upload()
    world.upload(parent={"id": first["id"], "type": "Document"})
    world.aim(first)


def _findable(world: World) -> None:
    world.sandbox.reset(keep_switches=True)
    world.access_token = world.sandbox.tokens(ALICE)["access_token"]
    world.request["query"]["matter_id"] = str(world.matter_id)
    world.upload(external_properties=[{"name": "portal_draft", "value": "draft-20917"}])


def _last_page(world: World) -> None:
    query = {
        "fields": "id,etag,display_number,description,status,client{id,name}",
        "status": "open",
        "limit": "2",
    }
    answer = world.api("GET", "/api/v4/matters.json", params=query).json()
    while following := answer["meta"]["paging"].get("next"):
        world.request["url"] = following
        answer = world.api("GET", following.removeprefix(world.sandbox.api_url)).json()


def _without_users(world: World) -> None:
    """The example asks for custom fields, which the portal never does; users are asked for instead."""
    world.sandbox.control("POST", "/app", {"permissions": {"matters": "read"}})
    world.access_token = world.sandbox.tokens(ALICE)["access_token"]
    world.sandbox.control(
        "POST",
        "/app",
        {"permissions": dict.fromkeys(("users", "matters", "contacts", "documents"), "write")},
    )
    world.request["path"] = "/api/v4/users.json"


def _locked(world: World) -> None:
    _uploaded(world)
    world.sandbox.act("lock_document", document_id=int(re.findall(r"\d+", world.request["path"])[-1]))


def _spent(world: World) -> None:
    _uploaded(world)
    world.sandbox.switch(rate_limit=1)
    world.play()


def _redacted(world: World) -> None:
    matters = world.api(
        "GET", "/api/v4/matters.json", params={"fields": "id,client{id}", "limit": "1"}
    ).json()
    world.sandbox.act("hide_contact", contact_id=matters["data"][0]["client"]["id"], user_id=ALICE)
    world.request["query"] = {**world.request["query"], "limit": "1"}
    world.example["response"]["body"]["meta"]["paging"] = {"next": "there are more"}


def _code(world: World) -> None:
    asked = world.sandbox.authorize_url("http://127.0.0.1:1/callback")
    answer = world.sandbox.decide(asked)
    world.body["code"] = world.sandbox.returned(answer)["code"]
    world.body["redirect_uri"] = "http://127.0.0.1:1/callback"
    _app(world)


def _app(world: World) -> None:
    world.body["client_id"], world.body["client_secret"] = "sandbox-app", "sandbox-secret"


def _refresh(world: World) -> None:
    _app(world)
    world.body["refresh_token"] = world.refresh_token


def _deauthorize(world: World) -> None:
    world.body["token"] = world.access_token


PREPARATIONS: dict[str, Callable[[World], None]] = {
    "document-create": _in_matter,
    "document-create-no-fields": _in_matter,
    "document-create-in-folder": _in_folder,
    "document-create-new-version": _new_version,
    "document-create-multipart": _multipart,
    "document-delete": _uploaded,
    "document-download": _uploaded,
    "document-patch-fully-uploaded": _reserved_and_transferred,
    "document-patch-more-parts": _more_parts,
    "document-patch-upload-not-found": _not_transferred,
    "document-patch-upload-timeout": _times_out,
    "document-put-bytes": _put,
    "document-put-wrong-header": _put,
    "document-put-expired": _put_expired,
    "document-put-part": _put_part,
    "document-put-part-bad-digest": _damaged_part,
    "document-show": _shown,
    "document-show-304": _known_etag,
    "document-versions-list": _two_versions,
    "documents-list-matter": _findable,
    "error-400-invalid-fields": _uploaded,
    "error-403-forbidden": _without_users,
    "error-409-conflict": _locked,
    "error-412-stale-etag": _uploaded,
    "error-429-rate-limited": _spent,
    "folder-create": _in_matter,
    "matters-list-last-page": _last_page,
    "redacted-association": _redacted,
    "oauth-token-exchange": _code,
    "oauth-token-refresh": _refresh,
    "oauth-token-invalid-grant": _app,
    "oauth-deauthorize": _deauthorize,
}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "oauth-authorize"])
def test_the_sandbox_answers_as_the_example_does(name: str, sandbox: SandboxProcess) -> None:
    sandbox.reset()
    sandbox.switch(minimum_part_bytes=0, search_lag_seconds=0)
    world = World(sandbox, json.loads((FOLDER / f"{name}.json").read_text()))
    PREPARATIONS.get(name, _nothing)(world)

    answer = world.play()

    wanted = world.example["response"]
    assert answer.status_code == wanted["status"], answer.text
    _same_headers(wanted["headers"], answer.headers)
    _same_body(wanted.get("body"), answer)
    assert problems_of(sandbox.calls()) == []


def test_the_authorize_example_leads_back_both_ways(sandbox: SandboxProcess) -> None:
    sandbox.reset()
    example = json.loads((FOLDER / "oauth-authorize.json").read_text())
    redirect_uri = example["request"]["query"]["redirect_uri"]
    sandbox.control("POST", "/app", {"redirect_uris": [redirect_uri], "client_id": "APPKEY123"})
    url = httpx.URL(f"{sandbox.api_url}/oauth/authorize", params=example["request"]["query"])

    approved = sandbox.decide(str(url))
    declined = sandbox.decide(str(url), decision="decline")
    sandbox.control("POST", "/app", {"redirect_uris": ["loopback"], "client_id": "sandbox-app"})

    assert approved.status_code == declined.status_code == 302
    assert declined.headers["location"] == example["declined"]["headers"]["Location"]
    pattern = example["approved"]["headers"]["Location"].replace("3tBq9ZEXAMPLEcode", "CODE")
    assert re.fullmatch(re.escape(pattern).replace("CODE", r"[\w-]+"), approved.headers["location"])


# Comparing.


def _same_headers(wanted: dict[str, str], real: httpx.Headers) -> None:
    missing = [name for name in wanted if name not in real]
    assert missing == []
    for name in ("Content-Type", "X-API-VERSION", "x-amz-server-side-encryption"):
        assert name not in wanted or real[name] == wanted[name]


def _same_body(wanted: Any, answer: httpx.Response) -> None:
    if wanted is None:
        assert answer.content == b""
    elif isinstance(wanted, str):
        assert _code_of(answer.text) == _code_of(wanted)
    else:
        _alike(wanted, answer.json(), "$")


def _code_of(xml: str) -> str:
    return xml.partition("<Code>")[2].partition("</Code>")[0]


def _alike(wanted: Any, real: Any, path: str) -> None:
    """The same keys, the same kinds, and the same values unless the example made them up."""
    name = path.rpartition(".")[2]
    if isinstance(wanted, dict):
        assert isinstance(real, dict), path
        assert set(real) == set(wanted), path
        for key, value in wanted.items():
            _alike(value, real[key], f"{path}.{key}")
    elif isinstance(wanted, list) and name not in INVENTED:
        assert isinstance(real, list), path
        for place, (value, other) in enumerate(zip(wanted, real, strict="put_headers" in path)):
            _alike(value, other, f"{path}[{place}]")
    elif name in INVENTED or str(wanted).startswith("UNVERIFIED") or _is_named(path):
        assert type(real) is type(wanted) or wanted is None, f"{path}: {real!r}"
    else:
        assert real == wanted, path


def _is_named(path: str) -> bool:
    """Names of people, firms, clients and folders belong to the sandbox's own firm."""
    inner = ("creator", "account", "client", "parent", "matter.", "data[", "data.name", "data.enabled")
    return path.endswith((".name", ".subscription_type", ".filename")) and any(word in path for word in inner)
