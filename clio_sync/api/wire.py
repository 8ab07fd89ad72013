"""Clio's JSON as frozen dataclasses, and the only code that reads it.

What we use is read strictly: a missing id, a number sent as text or a key sent twice is a Surprise naming the
place. What we do not use is ignored, as Clio asks (docs.developers.clio.com/api-docs/api-versioning-policy/:
fields and enum values may be added without notice). Each `*_FIELDS` beside a parser is what must be asked
for, as without `fields` Clio answers with `id` and `etag` alone, also to POST and PATCH
(docs.developers.clio.com/api-docs/fields/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from clio_sync.api.presigned import PutHeaders, header_problem, put_deadline
from clio_sync.api.reading import Fields
from clio_sync.api.secret import Secret

T = TypeVar("T")

# What is sent


class ParentType(StrEnum):
    MATTER = "Matter"
    FOLDER = "Folder"
    CONTACT = "Contact"
    DOCUMENT = "Document"


@dataclass(frozen=True, slots=True)
class Parent:
    """Where a document or folder goes. `document` means a new version of that document."""

    type: ParentType
    id: int

    @classmethod
    def matter(cls, id: int) -> Parent:  # noqa: A002 - Clio's word
        return cls(ParentType.MATTER, id)

    @classmethod
    def folder(cls, id: int) -> Parent:  # noqa: A002
        return cls(ParentType.FOLDER, id)

    @classmethod
    def contact(cls, id: int) -> Parent:  # noqa: A002
        return cls(ParentType.CONTACT, id)

    @classmethod
    def document(cls, id: int) -> Parent:  # noqa: A002
        return cls(ParentType.DOCUMENT, id)

    def dump(self) -> dict[str, object]:
        return {"id": self.id, "type": self.type.value}


@dataclass(frozen=True, slots=True)
class PartPlan:
    """One part of a multipart upload, announced before it is sent. `md5` is base64 of the 16 raw bytes."""

    number: int
    length: int
    md5: str = ""

    def dump(self) -> dict[str, object]:
        known: dict[str, object] = {"part_number": self.number, "content_length": self.length}
        return {**known, "content_md5": self.md5} if self.md5 else known


# What comes back


@dataclass(frozen=True, slots=True)
class Ref:
    """A record inside another one. `redacted`: the connected user may not see it, and `name` is None."""

    id: int
    name: str | None = None
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class WhoAmI:
    id: int
    name: str
    email: str
    account: Ref
    enabled: bool | None = None
    subscription_type: str | None = None
    roles: tuple[str, ...] = ()
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    id: int
    name: str
    email: str | None = None
    enabled: bool | None = None
    subscription_type: str | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    id: int
    etag: str | None
    display_number: str | None
    description: str | None
    status: str | None
    """Open, Pending or Closed, or a word Clio adds later."""
    client: Ref | None = None
    practice_area: Ref | None = None
    responsible_attorney: Ref | None = None
    matter_stage: Ref | None = None
    folder_id: int | None = None
    """The matter's root folder."""

    @property
    def is_closed(self) -> bool:
        return (self.status or "").lower() == "closed"


@dataclass(frozen=True, slots=True)
class Folder:
    id: int
    etag: str | None
    name: str
    parent: Ref | None = None
    root: bool | None = None


@dataclass(frozen=True, slots=True)
class Category:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class ExternalProperty:
    name: str
    value: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Where one part of a multipart upload goes."""

    number: int
    put_url: Secret
    put_headers: PutHeaders
    put_deadline: datetime

    def fits(self, plan: PartPlan) -> bool:
        """Whether its headers, where they speak of length and digest, say what was announced."""
        told = {name.lower(): value for name, value in self.put_headers}
        as_long = told.get("content-length", str(plan.length)) == str(plan.length)
        return as_long and told.get("content-md5", plan.md5) == plan.md5


@dataclass(frozen=True, slots=True)
class Reservation:
    """A document or version that Clio has made room for. Nobody sees it in Clio until it is confirmed."""

    document_id: int
    version_uuid: str
    put_url: Secret
    """Empty for a multipart upload: then each of `parts` has its own."""
    put_headers: PutHeaders
    put_deadline: datetime
    """When to take put_url as expired: by what the address says, ten minutes from the answer at most."""
    version_number: int | None = None
    name: str | None = None
    parent: Ref | None = None
    """The folder Clio has put it in."""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    uuid: str
    fully_uploaded: bool
    id: int | None = None
    version_number: int | None = None
    filename: str | None = None
    content_type: str | None = None
    size: int | None = None
    created_at: datetime | None = None
    put_url: Secret | None = None
    """None once fully uploaded."""
    put_headers: PutHeaders = ()
    put_deadline: datetime | None = None
    parts: tuple[Part, ...] = ()
    """Of an unfinished multipart upload, as far as they were asked for and shown with an address."""


@dataclass(frozen=True, slots=True)
class Document:
    id: int
    etag: str | None
    name: str | None
    latest_version: DocumentVersion | None
    filename: str | None = None
    content_type: str | None = None
    size: int | None = None
    locked: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    matter: Ref | None = None
    contact: Ref | None = None
    creator: Ref | None = None
    category: Ref | None = None
    parent: Ref | None = None
    external_properties: tuple[ExternalProperty, ...] = ()

    def reservation(self) -> Reservation | None:
        """The latest version as something still to be sent, with a fresh put_url; None when it cannot be."""
        version = self.latest_version
        if (
            version is None
            or version.fully_uploaded
            or version.put_url is None
            or version.put_deadline is None
        ):
            return None
        return Reservation(
            document_id=self.id,
            version_uuid=version.uuid,
            put_url=version.put_url,
            put_headers=version.put_headers,
            put_deadline=version.put_deadline,
            version_number=version.version_number,
            name=self.name,
            parent=self.parent,
        )


@dataclass(frozen=True, slots=True)
class ConfirmedDocument:
    """What Clio says of a document after confirming it. Ask `is_complete` before believing it is filed."""

    document_id: int
    etag: str | None
    version_uuid: str
    fully_uploaded: bool
    size: int | None
    version_number: int | None
    name: str | None = None

    def is_complete(self, *, version_uuid: str, size: int) -> bool:
        """True when Clio holds the whole of exactly this version. Anything less is not filed."""
        return self.fully_uploaded and self.version_uuid == version_uuid and self.size == size


# How it is read

WHO_AM_I_FIELDS: Final = "id,etag,name,email,enabled,subscription_type,roles,time_zone,account{id,name}"
USER_FIELDS: Final = "id,name,email,enabled,subscription_type"
MATTER_FIELDS: Final = (
    "id,etag,display_number,description,status,client{id,name},practice_area{id,name},"
    "responsible_attorney{id,name},matter_stage{id,name},folder{id}"
)
FOLDER_FIELDS: Final = "id,etag,name,root,parent{id,name}"
CATEGORY_FIELDS: Final = "id,name"
VERSION_FIELDS: Final = "id,uuid,version_number,filename,content_type,size,fully_uploaded,created_at"
DOCUMENT_FIELDS: Final = (
    "id,etag,name,filename,type,content_type,size,locked,received_at,created_at,updated_at,deleted_at,"
    "matter{id,display_number},contact{id,name},creator{id,name,type},document_category{id,name},"
    "parent{id,name,root},external_properties{id,name,value},"
    "latest_document_version{" + VERSION_FIELDS + ",put_url,put_headers}"
)
DOCUMENT_WITH_PARTS_FIELDS: Final = DOCUMENT_FIELDS.removesuffix("}") + ",multiparts}"
RESERVATION_FIELDS: Final = (
    "id,name,parent{id,name},latest_document_version{uuid,version_number,put_url,put_headers}"
)
MULTIPART_FIELDS: Final = (
    "id,name,parent{id,name},latest_document_version{uuid,version_number,put_headers,multiparts}"
)
MORE_PARTS_FIELDS: Final = "id,latest_document_version{uuid,multiparts}"
CONFIRMED_FIELDS: Final = "id,etag,name,latest_document_version{uuid,fully_uploaded,size,version_number}"


def of(record_id: int | None, read: Callable[[Fields], T]) -> Callable[[Fields], T]:
    """`read`, refusing the record of another id than the one that was asked for."""

    def read_the_same(data: Fields) -> T:
        if record_id is not None and data.id() != record_id:
            data.surprise("id", "is the id of another record")
        return read(data)

    return read_the_same


def who_am_i(data: Fields) -> WhoAmI:
    return WhoAmI(
        id=data.id(),
        name=data.maybe_text("name") or "",
        email=data.maybe_text("email") or "",
        account=ref(data.child("account")),
        enabled=data.maybe_flag("enabled"),
        subscription_type=data.maybe_text("subscription_type"),
        roles=data.texts("roles"),
        time_zone=data.maybe_text("time_zone"),
    )


def user(data: Fields) -> User:
    return User(
        id=data.id(),
        name=data.maybe_text("name") or "",
        email=data.maybe_text("email"),
        enabled=data.maybe_flag("enabled"),
        subscription_type=data.maybe_text("subscription_type"),
    )


def matter(data: Fields) -> Matter:
    folder_of = data.maybe_child("folder")
    return Matter(
        id=data.id(),
        etag=data.maybe_text("etag"),
        display_number=data.maybe_text("display_number"),
        description=data.maybe_text("description"),
        status=data.maybe_text("status"),
        client=maybe_ref(data, "client"),
        practice_area=maybe_ref(data, "practice_area"),
        responsible_attorney=maybe_ref(data, "responsible_attorney"),
        matter_stage=maybe_ref(data, "matter_stage"),
        folder_id=folder_of.id() if folder_of else None,
    )


def folder(data: Fields) -> Folder:
    return Folder(
        id=data.id(),
        etag=data.maybe_text("etag"),
        name=data.maybe_text("name") or "",
        parent=maybe_ref(data, "parent"),
        root=data.maybe_flag("root"),
    )


def category(data: Fields) -> Category:
    return Category(id=data.id(), name=data.maybe_text("name") or "")


def ref(data: Fields, name: str = "name") -> Ref:
    return Ref(id=data.id(), name=data.maybe_text(name), redacted=bool(data.maybe_flag("redacted")))


def maybe_ref(data: Fields, child: str, name: str = "name") -> Ref | None:
    inner = data.maybe_child(child)
    return ref(inner, name) if inner else None


def external_property(data: Fields) -> ExternalProperty:
    return ExternalProperty(
        name=data.maybe_text("name") or "", value=data.maybe_text("value") or "", id=data.maybe_id("id")
    )


def document(data: Fields) -> Document:
    version = data.maybe_child("latest_document_version")
    return Document(
        id=data.id(),
        etag=data.maybe_text("etag"),
        name=data.maybe_text("name"),
        latest_version=document_version(version) if version else None,
        filename=data.maybe_text("filename"),
        content_type=data.maybe_text("content_type"),
        size=data.maybe_number("size"),
        locked=data.maybe_flag("locked"),
        created_at=data.maybe_moment("created_at"),
        updated_at=data.maybe_moment("updated_at"),
        deleted_at=data.maybe_moment("deleted_at"),
        matter=maybe_ref(data, "matter", "display_number"),
        contact=maybe_ref(data, "contact"),
        creator=maybe_ref(data, "creator"),
        category=maybe_ref(data, "document_category"),
        parent=maybe_ref(data, "parent"),
        external_properties=data.children("external_properties", external_property),
    )


def document_version(data: Fields) -> DocumentVersion:
    put_url = data.maybe_text("put_url")
    return DocumentVersion(
        uuid=data.uuid(),
        fully_uploaded=data.flag("fully_uploaded"),
        id=data.maybe_id("id"),
        version_number=data.maybe_version_number(),
        filename=data.maybe_text("filename"),
        content_type=data.maybe_text("content_type"),
        size=data.maybe_number("size"),
        created_at=data.maybe_moment("created_at"),
        put_url=Secret(put_url) if put_url else None,
        put_headers=put_headers(data),
        put_deadline=put_deadline(put_url, answered_at=data.answered_at) if put_url else None,
        parts=tuple(filter(None, data.children("multiparts", _shown_part))),
    )


def reservation(data: Fields) -> Reservation:
    version = data.child("latest_document_version")
    put_url = version.text("put_url")
    return Reservation(
        document_id=data.id(),
        version_uuid=version.uuid(),
        put_url=Secret(put_url),
        put_headers=put_headers(version),
        put_deadline=put_deadline(put_url, answered_at=data.answered_at),
        version_number=version.maybe_version_number(),
        name=data.maybe_text("name"),
        parent=maybe_ref(data, "parent"),
    )


def multipart_reservation(announced: Sequence[PartPlan]) -> Callable[[Fields], Reservation]:
    def read(data: Fields) -> Reservation:
        version = data.child("latest_document_version")
        parts = _announced_parts(version, announced)
        return Reservation(
            document_id=data.id(),
            version_uuid=version.uuid(),
            put_url=Secret(""),
            put_headers=put_headers(version),
            put_deadline=min(part.put_deadline for part in parts),
            version_number=version.maybe_version_number(),
            name=data.maybe_text("name"),
            parent=maybe_ref(data, "parent"),
            parts=parts,
        )

    return read


def part(data: Fields) -> Part:
    put_url = data.text("put_url")
    return Part(
        number=data.id("part_number"),
        put_url=Secret(put_url),
        put_headers=put_headers(data),
        put_deadline=put_deadline(put_url, answered_at=data.answered_at),
    )


def more_parts(announced: Sequence[PartPlan], *, version_uuid: str) -> Callable[[Fields], tuple[Part, ...]]:
    def read(data: Fields) -> tuple[Part, ...]:
        version = data.child("latest_document_version")
        if version.uuid() != version_uuid:
            version.surprise("uuid", "is that of another version")
        return _announced_parts(version, announced)

    return read


def _announced_parts(version: Fields, announced: Sequence[PartPlan]) -> tuple[Part, ...]:
    """Exactly the parts that were announced, as they were announced: each once, none besides."""
    parts = version.children("multiparts", part)
    plans = {plan.number: plan for plan in announced}
    if len(parts) != len(plans) or {one.number for one in parts} != set(plans):
        version.surprise("multiparts", "are not the parts that were announced")
    if not all(one.fits(plans[one.number]) for one in parts):
        version.surprise("multiparts", "have another length or digest than was announced")
    return parts


def _shown_part(data: Fields) -> Part | None:
    return part(data) if data.maybe_text("put_url") else None


def confirmed(data: Fields) -> ConfirmedDocument:
    version = data.child("latest_document_version")
    return ConfirmedDocument(
        document_id=data.id(),
        etag=data.maybe_text("etag"),
        version_uuid=version.uuid(),
        fully_uploaded=version.flag("fully_uploaded"),
        size=version.maybe_number("size"),
        version_number=version.maybe_version_number(),
        name=data.maybe_text("name"),
    )


def put_headers(data: Fields) -> PutHeaders:
    headers = data.children("put_headers", _header)
    problem = header_problem(headers)
    if problem:
        data.surprise("put_headers", problem)
    return headers


def _header(data: Fields) -> tuple[str, str]:
    return data.text("name"), data.maybe_text("value") or ""
