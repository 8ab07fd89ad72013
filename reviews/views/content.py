"""A version's bytes: shown safely, compared, or handed out as they are."""

from __future__ import annotations

import uuid
from io import BufferedReader
from urllib.parse import quote

from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal import blobs
from portal.audit.events import Event
from portal.audit.log import Actor, record
from portal.http import PortalRequest
from reviews import actions, comparison
from reviews.access import get_draft_for, get_version_for
from reviews.errors import BytesMissing
from reviews.formats import MediaType, NoSuchPage, Refused
from reviews.models import Version
from reviews.preview import document, pdf
from reviews.preview.model import Preview
from reviews.preview.render import render as render_preview
from reviews.views.review import screen


@require_GET
def preview(request: PortalRequest, draft_id: uuid.UUID, number: int) -> HttpResponse:
    """The document as a page of its own that runs nothing and loads nothing; stands in a sandboxed frame."""
    version = get_version_for(request.user, draft_id, number)
    return HttpResponse(document.page(_shown(version), title=version.file_name), headers=document.HEADERS)


def _shown(version: Version) -> Preview:
    """The preview, or a page that says why there is none: the file itself can always be downloaded."""
    try:
        with _opened(version) as file:
            return render_preview(MediaType(version.media_type), file)
    except BytesMissing as missing:
        return Preview(html="", notes=(missing.sentence,))
    except Refused as refused:
        return Preview(html="", notes=(f"{refused.sentence} Download the file to read it.",))


@require_GET
def page_image(request: PortalRequest, draft_id: uuid.UUID, number: int, page: int) -> HttpResponse:
    """One page of a PDF as PNG."""
    version = get_version_for(request.user, draft_id, number)
    if version.media_type != MediaType.PDF or not 1 <= page <= (version.page_count or 0):
        raise Http404
    try:
        with _opened(version) as file:
            picture = pdf.page_png(file, page, 2.0)
    except (Refused, NoSuchPage, BytesMissing):
        raise Http404 from None
    return HttpResponse(picture, content_type="image/png")


@require_GET
def download(request: PortalRequest, draft_id: uuid.UUID, number: int) -> HttpResponseBase:
    """The exact bytes, as an attachment that no browser opens in the page. Who took them is on record."""
    version = get_version_for(request.user, draft_id, number)
    try:
        file = _opened(version)
    except BytesMissing as missing:
        context = screen(request, get_draft_for(request.user, draft_id), version, problem=missing.sentence)
        return render(request, "reviews/draft.html", context, status=missing.status)
    with transaction.atomic():
        record(
            Event.DOWNLOAD_VERSION,
            actor=Actor.person(request),
            subject=actions.subject(version.draft),
            corr=version.draft_id,
            version=version.pk,
            number=version.number,
            sha256=version.sha256,
            size=version.size,
            form="original",
        )
    response = FileResponse(file, content_type="application/octet-stream", as_attachment=True)
    response.headers["Content-Length"] = str(version.size)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(version.file_name)}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return response


@require_GET
def compare(request: PortalRequest, draft_id: uuid.UUID, older: int, newer: int) -> HttpResponse:
    """What changed between two versions, paragraph by paragraph."""
    draft = get_draft_for(request.user, draft_id)
    before = get_version_for(request.user, draft_id, older)
    after = get_version_for(request.user, draft_id, newer)
    context: dict[str, object] = {"draft": draft, "before": before, "after": after}
    try:
        context["comparison"] = comparison.compare(_text(before), _text(after))
    except (Refused, BytesMissing) as refused:
        context["problem"] = refused.sentence
    return render(request, "reviews/compare.html", context)


def _text(version: Version) -> str:
    with _opened(version) as file:
        return comparison.text_of(MediaType(version.media_type), file)


def _opened(version: Version) -> BufferedReader:
    try:
        return blobs.open_blob(version.sha256)
    except blobs.BlobMissing:
        raise BytesMissing from None
