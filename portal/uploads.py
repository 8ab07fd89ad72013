"""Bodies no larger than a draft, and file names as they were sent.

Django's multipart parser silently drops characters that it finds unprintable, direction marks among them: a
name made to deceive arrives looking innocent. We refuse such names with a reason, so we must see them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.http.multipartparser import MultiPartParser
from django.utils.datastructures import MultiValueDict

from portal.errors import too_large

MEGABYTE: Final = 1_048_576
BESIDE_THE_FILE: Final = MEGABYTE
"""Bytes for the fields of a form and the seams between its parts."""


def bounded(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: refuse a body that cannot be a draft before a byte of it is read.

    The check against forged forms reads the whole body before anybody asks who sends it, so a stranger could
    fill the disk. A body of unannounced length counts as empty.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if _announced(request) > settings.MAX_DRAFT_BYTES + BESIDE_THE_FILE:
            return too_large(request, megabytes=settings.MAX_DRAFT_BYTES / MEGABYTE)
        return get_response(request)

    return middleware


def _announced(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length[:20]) if length.isdecimal() else 0


class AsSent(MultiPartParser):
    """The library's parser, without its cleaning of names. Nothing of ours uses a name as a path."""

    def sanitize_file_name(self, file_name: str) -> str:
        return file_name


def names_as_sent(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware, before anything that reads the form."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        def parse(
            meta: Mapping[str, Any], post_data: Any
        ) -> tuple[QueryDict, MultiValueDict[str, UploadedFile[Any]]]:
            return AsSent(meta, post_data, request.upload_handlers, request.encoding).parse()

        request.parse_file_upload = parse  # type: ignore[assignment]
        return get_response(request)

    return middleware
