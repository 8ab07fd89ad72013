"""The door for programs: submit drafts, answer returned ones, and read what became of one's own.

A key can do nothing else: it cannot read another's drafts, decide, file, or see a connection. OpenAPI
is at /api/v1/openapi.json, and docs/api.md says it in words.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Annotated, Any, Final, cast

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import URLPattern, URLResolver
from django.utils import timezone
from ninja import File, Form, Header, NinjaAPI, Schema, Status
from ninja.errors import HttpError, ValidationError
from ninja.files import UploadedFile
from ninja.security import HttpBearer
from pydantic import AwareDatetime, Field

from clio_sync import receipts
from clio_sync.models import Delivery
from portal.accounts import roles
from portal.accounts.models import ApiKey
from portal.audit.events import Event
from portal.audit.log import Actor, record_denied
from reviews import actions, intake
from reviews.errors import BadSubmission, NotAllowed, ReviewError, TryLater
from reviews.intake import Program, Provenance, Upload
from reviews.models import Decision, Draft, Version
from reviews.status import shown
from reviews.words import LONGEST

PAGE = 100
PLAIN: Final = re.compile(r"[!-~]+")
USE_NOTED_EVERY = timedelta(minutes=1)
REFUSALS_A_MINUTE: Final = 20
"""Wrong keys that go on record. Anybody can send more, and a flood must not fill the log."""


class KeyAuth(HttpBearer):
    """`Authorization: Bearer csk_…`. A wrong or revoked key is on record, without the key."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = ApiKey.from_token(token)
        if key is None:
            if _is_worth_an_entry():
                record_denied(
                    Event.API_KEY_REFUSED, actor=Actor.nobody(), subject=None, reason="unknown_or_revoked"
                )
            return None
        if not roles.may_submit(key.owner):
            record_denied(
                Event.API_KEY_REFUSED, actor=Actor.api_key(key), subject=None, reason="owner_without_role"
            )
            raise NotAllowed("The person this key submits for is no submitter any more. Ask an admin.")
        _note_use(key)
        return key


def _is_worth_an_entry() -> bool:
    minute = f"api-key-refused:{timezone.now():%Y%m%d%H%M}"
    cache.add(minute, 0, timeout=120)
    try:
        return int(cache.incr(minute)) <= REFUSALS_A_MINUTE
    except ValueError:  # the cache was emptied in between
        return True


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    stale = key.last_used_at is None or key.last_used_at < now - USE_NOTED_EVERY
    if stale:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


class Problem(Schema):
    """Why not: a code for the program, a sentence for a person, and the field it is about."""

    code: str
    message: str
    field: str = ""


class VersionOut(Schema):
    number: int
    sha256: str
    size: int
    media_type: str
    file_name: str
    created_at: datetime


class DecisionOut(Schema):
    verdict: str
    version: int
    reason_code: str
    reason: str
    at: datetime


class ReceiptOut(Schema):
    clio_document_id: int
    clio_version_uuid: str
    sha256: str
    size: int
    filed_at: datetime
    clio_url: str


class PlaceOut(Schema):
    """Where a draft goes, as it is approved."""

    file_name: str
    folder_id: int | None
    folder_name: str
    new_folders: list[str]
    category_id: int | None
    category_name: str
    document_id: int | None


class DraftOut(Schema):
    """A draft as its submitter may see it."""

    id: uuid.UUID
    title: str
    status: str
    status_detail: str
    matter_id: int
    matter_number: str
    destination: str
    place: PlaceOut
    url: str
    submitted_at: datetime
    versions: list[VersionOut]
    decisions: list[DecisionOut]
    receipt: ReceiptOut | None


class DraftPage(Schema):
    """Newest first. `next` is the value of `before` for the following page."""

    drafts: list[DraftOut]
    next: str | None


def _words(field: str) -> Any:
    return Field("", max_length=LONGEST[field])


ClioId = Annotated[int, Field(ge=1, lt=2**63)]


class MadeBy(Schema):
    """Who made the file. `tool`, `model`, `model_version` and `task` are needed when an AI did."""

    note: str = _words("note")
    made_by_ai: bool = True
    tool: str = _words("tool")
    model: str = _words("model")
    model_version: str = _words("model_version")
    task: str = _words("task")
    run: str = _words("run")


class SubmissionIn(MadeBy):
    """What is said about the file. Either `matter_id` or `matter_number` is needed.

    When an AI made the draft (the default), `tool`, `model`, `model_version` and `task` are needed.
    """

    matter_id: ClioId | None = None
    matter_number: str = _words("matter_number")
    connection: uuid.UUID | None = None
    folder_id: ClioId | None = None
    folder_path: str = _words("folder_path")
    category_id: ClioId | None = None
    document_id: ClioId | None = None
    file_name: str = _words("file_name")
    title: str = _words("title")


api = NinjaAPI(
    title="Countersign",
    version="1",
    description="Submit drafts for review. Nothing reaches Clio before a lawyer approved it.",
    auth=KeyAuth(),
    docs_url=None,
    openapi_url="openapi.json",
    urls_namespace="api",
)

REFUSALS: dict[int, Any] = {
    400: Problem,
    401: Problem,
    403: Problem,
    404: Problem,
    405: Problem,
    422: Problem,
}
PROBLEMS: dict[int, Any] = {
    **REFUSALS,
    409: Problem,
    413: Problem,
    503: Problem,
}


@api.post("/drafts", response={200: DraftOut, 201: DraftOut, **PROBLEMS}, summary="Submit a draft")
def submit_draft(
    request: HttpRequest,
    said: Form[SubmissionIn],
    file: File[UploadedFile],
    idempotency_key: Annotated[str, Header(alias="Idempotency-Key")],
) -> Status[dict[str, Any]]:
    """201 with the new draft. The same `Idempotency-Key` with the same content answers 200 with the first
    draft, also after a restart; with other content 409."""
    key = key_of(request)
    if not 1 <= len(idempotency_key) <= 200:
        raise BadSubmission(
            "key_length", "Idempotency-Key must have 1 to 200 characters.", field="Idempotency-Key"
        )
    if not PLAIN.fullmatch(idempotency_key):
        raise BadSubmission(
            "key_characters",
            "Idempotency-Key must be of letters, digits and signs of ASCII, without spaces.",
            field="Idempotency-Key",
        )
    draft, is_new = intake.submit(
        Upload.of(file),
        _asked(said),
        submitter=key.owner,
        actor=Actor.api_key(key),
        program=Program(api_key=key, idempotency_key=idempotency_key),
    )
    return Status(201 if is_new else 200, out(draft))


@api.get("/drafts", response={200: DraftPage, **REFUSALS}, summary="List your drafts")
def list_drafts(request: HttpRequest, before: AwareDatetime | None = None) -> dict[str, Any]:
    """The drafts that this key submitted, newest first, up to 100 a page."""
    drafts = _submitted_by(key_of(request)).order_by("-submitted_at")
    if before is not None:
        drafts = drafts.filter(submitted_at__lt=_in_utc(before))
    page = list(drafts[: PAGE + 1])
    more = f"{page[PAGE - 1].submitted_at:%Y-%m-%dT%H:%M:%S.%fZ}" if len(page) > PAGE else None
    return {"drafts": [out(draft) for draft in page[:PAGE]], "next": more}


def _in_utc(moment: datetime) -> datetime:
    """Times at the ends of the calendar have no twin in UTC."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise BadSubmission("malformed", "before: This is no time in our calendar.", field="before") from None


@api.get("/drafts/{uuid:draft_id}", response={200: DraftOut, **REFUSALS}, summary="Read a draft")
def read_draft(request: HttpRequest, draft_id: uuid.UUID) -> dict[str, Any]:
    """One draft that this key submitted. Another's answers 404."""
    return out(_own(request, draft_id))


@api.post(
    "/drafts/{uuid:draft_id}/versions",
    response={201: DraftOut, **PROBLEMS},
    summary="Answer a returned draft",
)
def add_version(
    request: HttpRequest, draft_id: uuid.UUID, said: Form[MadeBy], file: File[UploadedFile]
) -> Status[dict[str, Any]]:
    """A new version of a draft that is still open. It voids what was decided about the older one."""
    draft, key = _own(request, draft_id), key_of(request)
    intake.add_version(
        draft.pk,
        Upload.of(file),
        provenance=_provenance(said),
        note=said.note,
        by=key.owner,
        actor=Actor.api_key(key),
    )
    return Status(201, out(_own(request, draft_id)))


def key_of(request: HttpRequest) -> ApiKey:
    return cast("ApiKey", request.auth)  # type: ignore[attr-defined]


def _submitted_by(key: ApiKey) -> QuerySet[Draft]:
    decisions = Prefetch("decisions", Decision.objects.order_by("created_at"))
    versions = Prefetch("versions", Version.objects.order_by("number").prefetch_related(decisions))
    related = Draft.objects.select_related("delivery__connection", "delivery__approval")
    return related.filter(api_key=key).prefetch_related(versions)


def _own(request: HttpRequest, draft_id: uuid.UUID) -> Draft:
    draft = _submitted_by(key_of(request)).filter(pk=draft_id).first()
    if draft is None:
        raise Http404
    return draft


def _provenance(said: MadeBy) -> Provenance | None:
    if not said.made_by_ai:
        return None
    return Provenance(
        tool=said.tool, model=said.model, version=said.model_version, task=said.task, run=said.run
    ).checked()


def _asked(said: SubmissionIn) -> intake.Request:
    return intake.Request(
        matter_id=said.matter_id,
        matter_number=said.matter_number,
        connection_id=said.connection,
        folder_id=said.folder_id,
        folder_path=said.folder_path,
        category_id=said.category_id,
        document_id=said.document_id,
        file_name=said.file_name,
        title=said.title,
        note=said.note,
        provenance=_provenance(said),
    )


def out(draft: Draft) -> dict[str, Any]:
    """A draft as DraftOut."""
    status, place = shown(draft), actions.destination_of(draft)
    return {
        "id": draft.pk,
        "title": draft.title,
        "status": status.state,
        "status_detail": status.detail,
        "matter_id": draft.matter_id,
        "matter_number": draft.matter_number,
        "destination": place.sentence(),
        "place": place,
        "url": actions.address_of(draft),
        "submitted_at": draft.submitted_at,
        "versions": list(draft.versions.all()),
        "decisions": _decisions(draft),
        "receipt": _receipt(draft),
    }


def _decisions(draft: Draft) -> list[dict[str, Any]]:
    told = [
        {
            "verdict": decision.verdict,
            "version": version.number,
            "reason_code": decision.reason_code,
            "reason": decision.reason,
            "at": decision.created_at,
        }
        for version in draft.versions.all()
        for decision in version.decisions.all()
    ]
    return sorted(told, key=lambda one: one["at"])


def _receipt(draft: Draft) -> dict[str, Any] | None:
    delivery = draft.delivery
    if delivery is None or delivery.clio_document_id is None or delivery.state != Delivery.State.FILED:
        return None
    return {
        "clio_document_id": delivery.clio_document_id,
        "clio_version_uuid": delivery.clio_version_uuid,
        "sha256": delivery.sha256_sent,
        "size": delivery.approval.size,
        "filed_at": delivery.done_at,
        "clio_url": receipts.clio_url(delivery.connection, delivery.clio_document_id),
    }


@api.exception_handler(ReviewError)
def _refused(request: HttpRequest, refused: ReviewError) -> HttpResponse:
    if getattr(request, "auth", None):
        record_denied(
            Event.DRAFT_SUBMISSION_REFUSED,
            actor=Actor.api_key(key_of(request)),
            subject=None,
            reason=refused.code,
            status=refused.status,
            source="api",
        )
    field = getattr(refused, "field", "")
    answer = _problem(request, refused.status, refused.code, refused.sentence, field)
    if isinstance(refused, TryLater):
        answer.headers["Retry-After"] = str(refused.retry_after)
    return answer


@api.exception_handler(ValidationError)
def _malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first: dict[str, Any] = error.errors[0] if error.errors else {}
    field = str(first.get("loc", ("",))[-1]).replace("idempotency_key", "Idempotency-Key")
    return _problem(request, 422, "malformed", f"{field}: {first.get('msg', 'not understood')}.", field)


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == 401:
        return _problem(request, 401, "unauthorized", "Send a live API key: Authorization: Bearer csk_….")
    return _problem(request, error.status_code, "bad_request", "This request cannot be read.")


@api.exception_handler(BadRequest)
@api.exception_handler(SuspiciousOperation)
@api.exception_handler(MultiPartParserError)
def _bad_body(request: HttpRequest, error: Exception) -> HttpResponse:
    return _problem(
        request,
        400,
        "bad_request",
        "The body cannot be read. Send a multipart form with one file and the fields of docs/api.md.",
    )


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return _problem(request, 404, "not_found", "This key has no such draft.")


def _problem(request: HttpRequest, status: int, code: str, message: str, field: str = "") -> HttpResponse:
    return api.create_response(request, {"code": code, "message": message, "field": field}, status=status)


def _with_plain_refusals(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A wrong method is the one refusal that the library answers by itself, and not in JSON."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = view(request, *args, **kwargs)
        if answer.status_code != 405:
            return answer
        refusal = _problem(request, 405, "method", "This address does not take that method.")
        refusal.headers["Allow"] = answer.headers["Allow"]
        return refusal

    return answered


def urls() -> tuple[list[URLResolver | URLPattern], str, str]:
    """The addresses for `portal.urls`. Keys, not sessions, open them: sign-in pages are for people."""
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        view = _with_plain_refusals(cast("Callable[..., HttpResponse]", pattern.callback))
        pattern.callback = login_not_required(view)
    return patterns, app_name, namespace
