"""The bytes of every version, kept once each under the SHA-256 of what they are."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from io import BufferedReader
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages

INCOMING = "incoming"
CHUNK = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")

if TYPE_CHECKING:
    _File = File[bytes]
else:
    _File = File


@dataclass(frozen=True)
class Blob:
    sha256: str
    size: int


class TooLarge(Exception):
    """The bytes went past the limit; nothing of them was kept."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes")
        self.limit = limit


class BlobMissing(LookupError):
    """No bytes are stored under this SHA-256."""


class BlobStorage(FileSystemStorage):
    """A folder in which a file appears whole and durable, or not at all.

    Files are 0600, folders 0700. Saving under a name that exists replaces it in one step: names are digests,
    so the bytes are the same ones, and a damaged copy is healed.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("file_permissions_mode", 0o600)
        options.setdefault("directory_permissions_mode", 0o700)
        super().__init__(**options)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def incoming(self) -> Path:
        """Where bytes wait until their digest is known; on the same disk, so that a rename is enough."""
        folder = Path(self.path(INCOMING))
        _make_folder(folder, upto=Path(self.location))
        return folder

    def _save(self, name: str, content: File[Any]) -> str:
        target = Path(self.path(name))
        _make_folder(target.parent, upto=Path(self.location))
        with self._as_durable_file(content) as temporary:
            temporary.replace(target)
        _sync_folder(target.parent)
        return name

    @contextmanager
    def _as_durable_file(self, content: File[Any]) -> Iterator[Path]:
        if isinstance(content, _Incoming):
            yield content.path
            return
        with _temporary(self) as (path, file):
            for chunk in content.chunks():
                file.write(chunk)
            _sync_file(file)
            yield path


class _Incoming(_File):
    """A temporary file of ours, already written and synced, that only needs its name."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file, name=str(path))
        self.path = path


def store(chunks: Iterable[bytes], *, limit: int) -> Blob:
    """Keep these bytes and say what they are. When this returns they survive a power cut.

    Raises TooLarge as soon as more than `limit` bytes were read. Whatever is raised, here or by `chunks`,
    nothing stays behind. Only a killed process leaves a temporary file, which `sweep_temps` removes.
    """
    storage = _storage()
    with _temporary(storage) as (path, file):
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLarge(limit)
            digest.update(chunk)
            file.write(chunk)
        _sync_file(file)
        blob = Blob(digest.hexdigest(), size)
        storage.save(name_of(blob.sha256), _Incoming(file, path))
    return blob


def open_blob(sha256: str) -> BufferedReader:
    try:
        return Path(path_of(sha256)).open("rb")
    except FileNotFoundError as error:
        raise BlobMissing(sha256) from error


def exists(sha256: str) -> bool:
    return _storage().exists(name_of(sha256))


def size_of(sha256: str) -> int:
    try:
        return _storage().size(name_of(sha256))
    except FileNotFoundError as error:
        raise BlobMissing(sha256) from error


def rehash(sha256: str) -> str:
    """The SHA-256 of what is on disk now. It differs from the name only if the file was changed."""
    with open_blob(sha256) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def name_of(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise ValueError("not a SHA-256 in lower-case hexadecimal")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def path_of(sha256: str) -> Path:
    return Path(_storage().path(name_of(sha256)))


def sweep_temps(older_than: timedelta) -> int:
    """Remove what killed processes left, return how many. Let `older_than` exceed the longest upload."""
    deadline = time.time() - older_than.total_seconds()
    removed = 0
    for path in _storage().incoming().iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < deadline:
                path.unlink()
                removed += 1
    return removed


def _storage() -> BlobStorage:
    return cast("BlobStorage", storages["blobs"])


@contextmanager
def _temporary(storage: BlobStorage) -> Iterator[tuple[Path, IO[bytes]]]:
    descriptor, name = tempfile.mkstemp(dir=storage.incoming())
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def _make_folder(folder: Path, *, upto: Path) -> None:
    """Create the folder and make its being there durable, up to and with the storage's own root."""
    if folder.is_dir():
        return
    if folder != upto:
        _make_folder(folder.parent, upto=upto)
        folder.mkdir(mode=0o700, exist_ok=True)
    else:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_file(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
