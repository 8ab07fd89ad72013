"""Which pictures a preview may carry: PNG, JPEG and GIF, of sane dimensions and in sane number."""

from __future__ import annotations

import base64
import binascii
import io
import re
import struct

from PIL import Image, UnidentifiedImageError

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_TOTAL = 24 * 1024 * 1024
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF"}

_DATA = re.compile(r"data:(image/(?:png|jpeg|gif));base64,([A-Za-z0-9+/=\s]+)")


def trouble_with(data: bytes, media_type: str) -> str | None:
    """Why this picture is not shown, or None. Only its header is read, so a pixel bomb costs nothing here."""
    if media_type not in FORMATS:
        return f"a format the preview cannot show ({media_type[:40]})"
    if len(data) > MAX_BYTES:
        return f"{len(data) // 1024**2} MB, too large for the preview"
    try:
        with Image.open(io.BytesIO(data), formats=[FORMATS[media_type]]) as picture:
            width, height = picture.size
    except Image.DecompressionBombError:
        return "too many pixels for the preview"
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error, EOFError):
        return "damaged"
    if width * height > MAX_PIXELS:
        return f"{width:,} × {height:,} pixels, too many for the preview"
    return None


class Album:
    """The pictures of one preview, counted together."""

    def __init__(self) -> None:
        self._left = MAX_TOTAL

    def accepts(self, address: str) -> bool:
        match = _DATA.fullmatch(address)
        if match is None or len(match[2]) > self._left * 4 // 3 + 4:
            return False
        try:
            data = base64.b64decode(match[2])
        except binascii.Error:
            return False
        self._left -= len(data)
        return trouble_with(data, match[1]) is None
