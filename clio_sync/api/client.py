"""The calls the portal makes to Clio Manage's API, version 4: one method per call, named after Clio's
resources.

Each method opens with the operation in Clio's API reference that documents it
(docs.developers.clio.com/openapi.json, where the operation ids below stand). All of them raise ClioError.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Final, Self, TypeVar

import httpx

from clio_sync.api import exchange, limits, wire
from clio_sync.api.auth import TokenSource
from clio_sync.api.errors import ClioError, ClioSurprised, Unreachable
from clio_sync.api.exchange import Answer, Call
from clio_sync.api.limits import RateReading
from clio_sync.api.outbound import only_origin, outbound_client
from clio_sync.api.paging import Listing, Page, read_page
from clio_sync.api.presigned import PutHeaders
from clio_sync.api.reading import Fields
from clio_sync.api.regions import checked_origin
from clio_sync.api.secret import Secret
from clio_sync.api.storage import Body, Downloaded, Progress, Storage, StoragePolicy, TransferResult

logger = logging.getLogger(__name__)

T = TypeVar("T")

API_VERSION: Final = "4.0.13"
"""Pinned: a new default at Clio changes nothing here.

See docs.developers.clio.com/api-docs/api-versioning-policy/.
"""

MOST_EXTERNAL_PROPERTIES: Final = 5
MOST_PARTS: Final = 50
"""Parts that one call may announce; more are announced by `more_parts`."""


@dataclass(frozen=True, slots=True)
class CallReport:
    """What one call to the API was and how it went: for the limiter and the connection's page. Holds no
    secrets.
    """

    route: str
    """Method and path with ids taken out, such as `PATCH documents/{id}`."""
    status: int | None
    """None when no answer came."""
    rate: RateReading
    request_id: str
    seconds: float
    retry_after: float | None = None
    """Seconds Clio asked for."""


class ClioClient:
    """Clio as one connection sees it.

    `base_url` is the region's origin, such as https://app.clio.com, or the sandbox's when `storage_policy` is
    a sandbox policy. `tokens` is asked for a token before each call, and once more when Clio rejects it: then
    the call is repeated, once. `before_call` is told the route before each request and may raise to hold it
    back; `on_response` hears of each request afterwards, also of one that got no answer. `transport` replaces
    the network in tests.

    Calls block and share one connection pool; close the client, or use it as a context manager.
    """

    def __init__(
        self,
        base_url: str,
        token_source: TokenSource,
        *,
        storage_policy: StoragePolicy,
        transport: httpx.BaseTransport | None = None,
        before_call: Callable[[str], None] | None = None,
        on_response: Callable[[CallReport], None] | None = None,
    ) -> None:
        self._origin = checked_origin(base_url, sandbox=storage_policy.is_sandbox)
        self._tokens = token_source
        self._before_call = before_call
        self._on_response = on_response
        self._http = outbound_client(only_origin(self._origin), transport=transport)
        self._storage = Storage(storage_policy, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()
        self._storage.close()

    # People

    def who_am_i(self) -> wire.WhoAmI:
        """`User#who_am_i`: the connected user and their account. The test of a connection."""
        return self._show("users/who_am_i", wire.who_am_i, fields=wire.WHO_AM_I_FIELDS)

    def users(self, *, limit: int | None = None) -> Listing[wire.User]:
        """`User#index`: the people of the firm who can sign in. Needs the app's Users permission, else
        Forbidden.
        """
        return self._list("users", wire.user, fields=wire.USER_FIELDS, enabled="true", limit=limit)

    # Matters

    def matters(
        self,
        *,
        query: str = "",
        status: Collection[str] = ("open", "pending"),
        ids: Collection[int] = (),
        limit: int = 200,
    ) -> Listing[wire.Matter]:
        """`Matter#index`: matters that the connected user may see, by id; others are simply missing.

        `query` searches number, description and client name in an index that lags some seconds behind: good
        for a person typing, not for asking whether something exists. `limit` is the size of a page, 1 to 200.
        """
        return self._list(
            "matters",
            wire.matter,
            fields=wire.MATTER_FIELDS,
            limit=limit,
            order="id(asc)",
            query=query,
            status=",".join(status),
            ids=ids,
        )

    def matter(self, matter_id: int) -> wire.Matter:
        """`Matter#show`. NotFound also stands for a matter the connected user may not see."""
        return self._show("matters/{id}", wire.matter, matter_id, fields=wire.MATTER_FIELDS)

    # Folders and categories

    def folders(
        self, *, matter_id: int | None = None, parent_id: int | None = None, limit: int | None = None
    ) -> Listing[wire.Folder]:
        """`Folder#index`: the folders of a matter, or those directly in a folder."""
        return self._list(
            "folders",
            wire.folder,
            fields=wire.FOLDER_FIELDS,
            matter_id=matter_id,
            parent_id=parent_id,
            limit=limit,
        )

    def create_folder(self, name: str, *, parent: wire.Parent) -> wire.Folder:
        """`Folder#create`, in a matter, folder or contact. Clio allows equal names: look first."""
        data = {"name": name, "parent": parent.dump()}
        return self._write("POST", "folders", wire.folder, data, fields=wire.FOLDER_FIELDS)

    def document_categories(self, *, query: str = "") -> Listing[wire.Category]:
        """`DocumentCategory#index`."""
        return self._list("document_categories", wire.category, fields=wire.CATEGORY_FIELDS, query=query)

    # Documents: the three calls that file one

    def reserve_document(
        self,
        name: str,
        *,
        parent: wire.Parent,
        content_type: str = "",
        category_id: int | None = None,
        external_properties: Mapping[str, str] | None = None,
        multiparts: Sequence[wire.PartPlan] = (),
    ) -> wire.Reservation:
        """`Document#create`: call 1 of 3. Makes room for a document nobody sees until it is confirmed.

        A parent of type Document makes a new version of that document. At most five `external_properties`,
        and at most fifty `multiparts`. Clio has no idempotency key: after an error that is `ambiguous`, look
        with `find_documents` before reserving again.
        """
        properties = [{"name": key, "value": value} for key, value in (external_properties or {}).items()]
        if len(properties) > MOST_EXTERNAL_PROPERTIES:
            raise ValueError(
                f"Clio keeps at most {MOST_EXTERNAL_PROPERTIES} external properties on a document."
            )
        data = _present(
            name=name,
            content_type=content_type,
            parent=parent.dump(),
            document_category={"id": category_id} if category_id is not None else None,
            external_properties=properties,
            multiparts=_dumped(multiparts),
        )
        same = parent.id if parent.type is wire.ParentType.DOCUMENT else None
        parse = wire.of(same, wire.multipart_reservation(multiparts) if multiparts else wire.reservation)
        fields = wire.MULTIPART_FIELDS if multiparts else wire.RESERVATION_FIELDS
        return self._write("POST", "documents", parse, data, fields=fields)

    def more_parts(
        self, document_id: int, *, version_uuid: str, multiparts: Sequence[wire.PartPlan]
    ) -> tuple[wire.Part, ...]:
        """`Document#update` with `fully_uploaded` false: where to send parts beyond the first fifty.

        A part may be announced again: Clio signs a fresh address for it.
        """
        data = {"uuid": version_uuid, "fully_uploaded": False, "multiparts": _dumped(multiparts)}
        parse, fields = wire.more_parts(multiparts, version_uuid=version_uuid), wire.MORE_PARTS_FIELDS
        return self._write("PATCH", "documents/{id}", parse, data, document_id, fields=fields)

    def transfer(
        self,
        put_url: Secret,
        put_headers: PutHeaders,
        body: Body,
        *,
        size: int,
        sha256: str = "",
        on_progress: Progress | None = None,
        seconds: float | None = None,
    ) -> TransferResult:
        """Call 2 of 3, to storage instead of the API: no token goes along, and no rate limit is spent.

        See `Storage.put`: with `sha256`, bytes that are not the approved ones never become an object. Sending
        the same bytes again to the same address is harmless. Several threads may send at once, each over a
        connection of its own. Raises StorageError.
        """
        return self._storage.put(
            put_url, put_headers, body, size=size, sha256=sha256, on_progress=on_progress, seconds=seconds
        )

    def confirm_document(self, document_id: int, *, version_uuid: str) -> wire.ConfirmedDocument:
        """`Document#update` with `fully_uploaded` true: call 3 of 3, which makes the document visible in
        Clio.

        Check `is_complete` on what comes back. Raises UploadNotFound when the bytes are not there,
        UploadTimeout when Clio could not tell in time, AlreadyUploaded when it was confirmed before: then
        read the document.
        """
        data = {"uuid": version_uuid, "fully_uploaded": True}
        call = self._call(
            "PATCH", "documents/{id}", document_id, query={"fields": wire.CONFIRMED_FIELDS}, data=data
        )
        answer = self._ask(call, judge=exchange.upload_failure)
        return _settled(exchange.read_data(answer, wire.of(document_id, wire.confirmed)))

    # Documents: looking and removing

    def document(self, document_id: int, *, with_parts: bool = False) -> wire.Document:
        """`Document#show`, also of one that is not complete yet: then `reservation()` has a fresh put_url,
        or, `with_parts`, the version's parts have.
        """
        fields = wire.DOCUMENT_WITH_PARTS_FIELDS if with_parts else wire.DOCUMENT_FIELDS
        return self._show("documents/{id}", wire.document, document_id, fields=fields)

    def documents(
        self, *, matter_id: int | None = None, folder_id: int | None = None, limit: int = 200
    ) -> Listing[wire.Document]:
        """`Document#index`: the finished documents in a folder with all below it, or of a matter.

        Whether a matter's id also finds what lies in its folders is not documented; its folder does.
        """
        return self._list(
            "documents",
            wire.document,
            fields=wire.DOCUMENT_FIELDS,
            matter_id=matter_id,
            parent_id=folder_id,
            scope="descendants" if folder_id is not None else "",
            order="id(asc)",
            limit=limit,
        )

    def find_documents(
        self,
        *,
        external_property_name: str,
        external_property_value: str = "",
        matter_id: int | None = None,
        created_since: datetime | None = None,
        show_uncompleted: bool = True,
        limit: int = 200,
    ) -> Listing[wire.Document]:
        """`Document#index` by an external property: how to see whether a lost call was carried out. Without a
        value, all that bear the property.

        Without `show_uncompleted` Clio leaves out what is reserved but not confirmed. Anyone can write such a
        property: compare creator, matter and name before taking a document for one's own.
        """
        return self._list(
            "documents",
            wire.document,
            fields=wire.DOCUMENT_FIELDS,
            matter_id=matter_id,
            external_property_name=external_property_name,
            external_property_value=external_property_value,
            created_since=created_since.isoformat() if created_since else "",
            show_uncompleted="true" if show_uncompleted else "",
            order="id(asc)",
            limit=limit,
        )

    def document_versions(
        self, document_id: int, *, fully_uploaded: bool | None = None
    ) -> Listing[wire.DocumentVersion]:
        """`DocumentVersion#index`: the versions of a document."""
        wanted = "" if fully_uploaded is None else str(fully_uploaded).lower()
        return self._list(
            "documents/{id}/versions",
            wire.document_version,
            document_id,
            fields=wire.VERSION_FIELDS,
            fully_uploaded=wanted,
        )

    def delete_document(self, document_id: int) -> None:
        """`Document#destroy`: to Clio's trash, where it stays for thirty days. Conflict when it is being
        changed.
        """
        self._ask(self._call("DELETE", "documents/{id}", document_id))

    def download(
        self, document_id: int, into: BinaryIO, *, most: int, version_id: int | None = None
    ) -> Downloaded:
        """`Document#download`: copy the bytes Clio holds into `into`, at most `most` of them.

        Clio answers with a redirect to storage. It is followed by hand, without the token, and only to a
        storage host on the list.
        """
        call = self._call(
            "GET", "documents/{id}/download", document_id, query={"document_version_id": version_id}
        )
        answer = self._ask(call, judge=_download_failure)
        return self._storage.fetch(Secret(answer.headers["location"]), into, most=most)

    # How a call is made

    def _show(
        self, route: str, parse: Callable[[Fields], T], record_id: int | None = None, *, fields: str
    ) -> T:
        answer = self._ask(self._call("GET", route, record_id, query={"fields": fields}))
        return _settled(exchange.read_data(answer, wire.of(record_id, parse)))

    def _write(
        self,
        method: str,
        route: str,
        parse: Callable[[Fields], T],
        data: Mapping[str, object],
        record_id: int | None = None,
        *,
        fields: str,
    ) -> T:
        answer = self._ask(self._call(method, route, record_id, query={"fields": fields}, data=data))
        return _settled(exchange.read_data(answer, wire.of(record_id, parse)))

    def _list(
        self, route: str, parse: Callable[[Fields], T], record_id: int | None = None, **query: Wanted
    ) -> Listing[T]:
        first = self._call("GET", route, record_id, query=query)

        def fetch(address: str) -> Page[T]:
            answer = self._ask(replace(first, url=address))
            return _settled(exchange.read(answer, read_page(address, parse)))

        return Listing(first.url, fetch)

    def _call(
        self,
        method: str,
        route: str,
        record_id: int | None = None,
        *,
        query: Mapping[str, Wanted] | None = None,
        data: Mapping[str, object] | None = None,
    ) -> Call:
        path = route.replace("{id}", str(record_id))
        url = httpx.URL(f"{self._origin}/api/v4/{path}.json", params=_params(query or {}))
        return Call(
            method,
            route,
            str(url),
            json={"data": data} if data is not None else None,
            headers={"X-API-VERSION": API_VERSION},
        )

    def _ask(self, call: Call, *, judge: Judge = exchange.failure) -> Answer:
        """The answer, when `judge` finds nothing wrong with it. A rejected token is renewed once."""
        token = self._tokens()
        answer = self._send(call, token)
        if answer.status == 401:
            renewed = self._tokens.on_rejected(token)
            if renewed is not None and renewed != token:
                answer = self._send(call, renewed)
        error = judge(answer)
        if error is not None:
            raise error
        return answer

    def _send(self, call: Call, token: Secret) -> Answer:
        if self._before_call:
            self._before_call(call.name)
        started = time.monotonic()
        outcome = exchange.send(self._http, call, token)
        self._report(call, outcome, time.monotonic() - started)
        if isinstance(outcome, Unreachable):
            raise outcome
        return outcome

    def _report(self, call: Call, outcome: Answer | Unreachable, seconds: float) -> None:
        answer = outcome if isinstance(outcome, Answer) else None
        logger.debug("%s answered %s in %.3f s", call.name, answer.status if answer else "nothing", seconds)
        if self._on_response:
            self._on_response(
                CallReport(
                    route=call.name,
                    status=answer.status if answer else None,
                    rate=limits.read_rate(answer.headers) if answer else RateReading(),
                    request_id=answer.request_id if answer else "",
                    seconds=seconds,
                    retry_after=limits.read_retry_after(answer.headers) if answer else None,
                )
            )


Wanted = str | int | Collection[int] | None
"""A value of the query. None, an empty text and an empty list are left out."""

Judge = Callable[[Answer], ClioError | None]


def _download_failure(answer: Answer) -> ClioError | None:
    if answer.status == 303 and answer.headers.get("location"):
        return None
    if answer.status < 400:
        return ClioSurprised(
            "the answer",
            "is not the redirect to storage that was asked for",
            status=answer.status,
            route=answer.call.name,
        )
    return exchange.failure(answer)


def _params(query: Mapping[str, Wanted]) -> list[tuple[str, str]]:
    params: list[tuple[str, str]] = []
    for name, value in query.items():
        if isinstance(value, str | int):
            params += [(name, str(value))] if value != "" else []
        else:
            params += [(f"{name}[]", str(item)) for item in value or ()]
    return params


def _present(**attributes: object) -> dict[str, object]:
    """Only what was given: Clio takes an empty attribute as a wish to clear it."""
    return {name: value for name, value in attributes.items() if value not in (None, "", [])}


def _dumped(multiparts: Sequence[wire.PartPlan]) -> list[dict[str, object]]:
    if len(multiparts) > MOST_PARTS:
        raise ValueError(f"Announce at most {MOST_PARTS} parts at a time.")
    return [part.dump() for part in multiparts]


def _settled(outcome: T | ClioSurprised) -> T:
    if isinstance(outcome, ClioSurprised):
        raise outcome
    return outcome
