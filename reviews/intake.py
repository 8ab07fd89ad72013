"""The door for drafts, the same for the form and for programs: check everything, then keep everything.

Whatever is wrong raises BadSubmission with a sentence; then no row, no file and no entry of a draft stays.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction

from clio_sync.destinations import Destination
from portal import blobs
from portal.accounts import roles
from portal.accounts.models import ApiKey, User
from portal.audit.digest import digest
from portal.audit.log import Actor
from reviews import actions, formats, naming, places, words
from reviews.actions import Content
from reviews.errors import BadSubmission, KeyReused, NotAllowed, TooBig
from reviews.models import Draft, Submission, Version
from reviews.naming import Facts

CHUNK = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Which AI made this, and for what. All four are needed when an AI made it."""

    tool: str
    model: str
    version: str
    task: str
    run: str = ""

    def checked(self) -> Provenance:
        needed = {
            "tool": self.tool,
            "model": self.model,
            "model_version": self.version,
            "task": self.task,
        }
        missing = [name for name, text in needed.items() if not text.strip()]
        if missing:
            raise BadSubmission(
                "provenance",
                f"Say which AI made this: {', '.join(missing)} missing.",
                field=missing[0],
            )
        words.check(**needed, run=self.run)
        return self


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file at the door: its name as given, a seekable stream, its size in bytes."""

    name: str
    file: BinaryIO
    size: int

    @classmethod
    def of(cls, file: UploadedFile[Any]) -> Upload:
        """What a browser or a program sent. Letters and accents that a Mac sends apart are joined (NFC)."""
        return cls(name=formats.composed(file.name or ""), file=cast("BinaryIO", file), size=file.size or 0)

    def chunks(self) -> Iterator[bytes]:
        self.file.seek(0)
        while chunk := self.file.read(CHUNK):
            yield chunk


@dataclass(frozen=True, kw_only=True)
class Request(places.Where):
    """One submission: where the draft should go, and what is said about it."""

    title: str = ""
    note: str = ""
    provenance: Provenance | None = None

    def checked(self) -> Request:
        """Itself, if what is said in it can be kept. Raises BadSubmission."""
        words.check(title=self.title, note=self.note)
        if self.provenance:
            self.provenance.checked()
        return self


def receive(upload: Upload, *, provenance: Provenance | None = None, note: str = "") -> Content:
    """Check a file and keep its bytes. Raises BadSubmission and keeps nothing."""
    if upload.size > settings.MAX_DRAFT_BYTES:
        raise _too_big()
    said = asdict(provenance.checked()) if provenance else {}
    words.check(note=note)
    try:
        upload.file.seek(0)
        found = formats.check(upload.name, upload.file, upload.size)
        blob = blobs.store(upload.chunks(), limit=settings.MAX_DRAFT_BYTES)
    except formats.Refused as refused:
        raise BadSubmission(refused.code, refused.sentence, field="file") from refused
    except blobs.TooLarge as error:
        raise _too_big() from error
    return Content(
        sha256=blob.sha256,
        size=blob.size,
        media_type=found.media_type,
        file_name=upload.name,
        page_count=found.page_count,
        findings=[asdict(finding) for finding in found.findings],
        provenance=said,
        note=note,
    )


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program at the API: its key, and the Idempotency-Key of this submission."""

    api_key: ApiKey
    idempotency_key: str


def submit(
    upload: Upload, request: Request, *, submitter: User, actor: Actor, program: Program | None = None
) -> tuple[Draft, bool]:
    """A new draft, or the one that the same key and content made before: (draft, is it new).

    Clio is asked about the destination, and the bytes are checked and kept, before the transaction begins.
    """
    if not roles.may_submit(submitter):
        raise NotAllowed("Submitting drafts needs the submitter role. An admin can give it.")
    request.checked()
    asked = _digest_of(upload, request) if program else ""
    if program and (earlier := _submitted(program, asked)):
        return earlier, False
    destination = named(places.destination(request, file_name=upload.name), upload.name, request)
    content = receive(upload, provenance=request.provenance, note=request.note)
    try:
        with transaction.atomic():
            draft = actions.submit(
                content,
                title=_title(upload.name, request),
                destination=destination,
                submitter=submitter,
                actor=actor,
                api_key=program.api_key if program else None,
            )
            _remember(program, asked, draft)
            return draft, True
    except IntegrityError:
        if program and (earlier := _submitted(program, asked)):  # a twin of this request was faster
            return earlier, False
        raise


def add_version(
    draft_id: uuid.UUID,
    upload: Upload,
    *,
    provenance: Provenance | None,
    note: str,
    by: User,
    actor: Actor,
    revision: int | None = None,
) -> Version:
    """A newer content of a draft. What the draft does not take is not kept either."""
    actions.expect_version(draft_id, by=by, revision=revision)
    content = receive(upload, provenance=provenance, note=note)
    return actions.add_version(draft_id, content, by=by, actor=actor, revision=revision)


def named(place: Destination, original: str, request: Request) -> Destination:
    """The destination under the name that was asked for, or else that the firm's rule makes."""
    if request.file_name:
        chosen = places.file_name(request.file_name, like=original)
        return replace(place, file_name=chosen, named_by=naming.CHOSEN)
    facts = Facts.of(place, title=_title(original, request), version=1, original=original)
    name, by = naming.name_for(facts)
    return replace(place, file_name=name, named_by=by)


def _title(original: str, request: Request) -> str:
    return request.title.strip() or original.rpartition(".")[0][:200] or original[:200]


def _remember(program: Program | None, asked: str, draft: Draft) -> None:
    if program:
        Submission.objects.create(
            api_key=program.api_key, key=program.idempotency_key, digest=asked, draft=draft
        )


def _submitted(program: Program, asked: str) -> Draft | None:
    found = Submission.objects.select_related("draft").filter(
        api_key=program.api_key, key=program.idempotency_key
    )
    earlier = found.first()
    if earlier is not None and earlier.digest != asked:
        raise KeyReused(
            "key_reused",
            "This Idempotency-Key was used for a different draft. Use a new key for new content.",
            field="Idempotency-Key",
        )
    return earlier.draft if earlier else None


def _digest_of(upload: Upload, request: Request) -> str:
    sha256 = hashlib.sha256()
    for chunk in upload.chunks():
        sha256.update(chunk)
    asked = asdict(request) | {"connection_id": str(request.connection_id or "")}
    return digest({"file": sha256.hexdigest(), "name": upload.name, "request": asked})


def _too_big() -> TooBig:
    megabytes = settings.MAX_DRAFT_BYTES / 1_048_576
    return TooBig(
        "too_large",
        f"This file is larger than the limit of {megabytes:g} MB. Split it, or ask an admin about the limit.",
        field="file",
    )
