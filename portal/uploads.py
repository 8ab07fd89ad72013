"""File names as they were sent.

Django's multipart parser silently drops characters that it finds unprintable, direction marks among them: a
name made to deceive arrives looking innocent. We refuse such names with a reason, so we must see them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.http.multipartparser import MultiPartParser
from django.utils.datastructures import MultiValueDict


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
