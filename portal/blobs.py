"""Placeholder until the blob store lands."""

from __future__ import annotations

from django.core.files.storage import FileSystemStorage


class BlobStorage(FileSystemStorage):
    """Content-addressed files."""
