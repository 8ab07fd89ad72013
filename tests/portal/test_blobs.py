from __future__ import annotations

import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from pytest_django.fixtures import Settings

from portal import blobs

HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    place = tmp_path / "data" / "blobs"
    backend = {"BACKEND": "portal.blobs.BlobStorage", "OPTIONS": {"location": place}}
    settings.STORAGES = {**settings.STORAGES, "blobs": backend}
    return place


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_bytes_are_stored_under_their_digest() -> None:
    blob = blobs.store([b"hel", b"lo"], limit=10)
    assert blob == blobs.Blob(sha256=HELLO, size=5)
    with blobs.open_blob(HELLO) as file:
        assert file.read() == b"hello"
    assert blobs.exists(HELLO) and blobs.size_of(HELLO) == 5 and blobs.rehash(HELLO) == HELLO


def test_the_path_fans_out_by_digest(folder: Path) -> None:
    blobs.store([b"hello"], limit=10)
    assert files_in(folder) == [folder / HELLO[:2] / HELLO[2:4] / HELLO] == [blobs.path_of(HELLO)]


def test_only_the_portal_may_read_what_it_stored(folder: Path) -> None:
    old = os.umask(0)
    try:
        path = blobs.path_of(blobs.store([b"hello"], limit=10).sha256)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(p.stat().st_mode) for p in (folder, path.parent, path.parent.parent)} == {0o700}


def test_storing_the_same_bytes_twice_keeps_one_file(folder: Path) -> None:
    assert blobs.store([b"hello"], limit=10) == blobs.store([b"hello"], limit=10)
    assert len(files_in(folder)) == 1


def test_a_blob_of_exactly_the_limit_is_kept_and_one_byte_more_is_not(folder: Path) -> None:
    assert blobs.store([b"12345"], limit=5).size == 5
    with pytest.raises(blobs.TooLarge):
        blobs.store([b"12345", b"6"], limit=5)
    assert len(files_in(folder)) == 1


def test_reading_stops_at_the_limit(folder: Path) -> None:
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield b"x" * 100

    with pytest.raises(blobs.TooLarge):
        blobs.store(endless(), limit=1000)
    assert len(taken) == 11 and files_in(folder) == []


def test_a_broken_upload_leaves_nothing_behind(folder: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError("the sender went away")

    with pytest.raises(ConnectionError):
        blobs.store(broken(), limit=1000)
    assert files_in(folder) == []


def test_a_full_disk_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    blobs.store([b"first"], limit=10)
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="no space"):
        blobs.store([b"hello"], limit=10)
    monkeypatch.undo()
    assert len(files_in(folder)) == 1 and not blobs.exists(HELLO)


def test_store_returns_after_file_and_folder_are_synced(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def watch(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    path = blobs.path_of(blobs.store([b"hello"], limit=10).sha256)
    assert synced[-1] == str(path.parent) and synced[-2].startswith(str(path.parent.parent))
    assert any(name.startswith(str(folder / blobs.INCOMING)) for name in synced)


def test_many_writers_of_the_same_bytes_agree(folder: Path) -> None:
    found: list[blobs.Blob] = []
    data = [b"x" * 65_536] * 20

    def write() -> None:
        found.append(blobs.store(data, limit=10**7))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1 and len(files_in(folder)) == 1
    assert blobs.rehash(found[0].sha256) == found[0].sha256


def test_a_changed_file_is_noticed_and_storing_again_heals_it() -> None:
    blob = blobs.store([b"hello"], limit=10)
    blobs.path_of(blob.sha256).write_bytes(b"jello")
    assert blobs.rehash(blob.sha256) != blob.sha256
    blobs.store([b"hello"], limit=10)
    assert blobs.rehash(blob.sha256) == blob.sha256


def test_unknown_bytes_are_missing_not_an_io_error() -> None:
    for ask in (blobs.open_blob, blobs.size_of, blobs.rehash):
        with pytest.raises(blobs.BlobMissing):
            ask(HELLO)
    assert not blobs.exists(HELLO)


NOT_DIGESTS = ["", "../../etc/passwd", HELLO.upper(), HELLO[:-1], HELLO + "0", HELLO[:-1] + "\n"]


@pytest.mark.parametrize("name", NOT_DIGESTS)
def test_only_digests_are_names(name: str) -> None:
    for ask in (blobs.open_blob, blobs.size_of, blobs.rehash, blobs.exists, blobs.path_of):
        with pytest.raises(ValueError, match="not a SHA-256"):
            ask(name)


def test_the_storage_saves_ordinary_content_in_one_step_too(folder: Path) -> None:
    assert storages["blobs"].save("aa/note", ContentFile(b"abc")) == "aa/note"
    assert storages["blobs"].save("aa/note", ContentFile(b"abc")) == "aa/note"
    assert files_in(folder) == [folder / "aa" / "note"]


KILLED = """
import os, signal, sys, django
from django.conf import settings
options = {"location": sys.argv[1]}
settings.configure(STORAGES={"blobs": {"BACKEND": "portal.blobs.BlobStorage", "OPTIONS": options}})
from portal import blobs
def chunks():
    yield b"half"
    os.kill(os.getpid(), signal.SIGKILL)
blobs.store(chunks(), limit=100)
"""


def test_a_killed_writer_leaves_only_a_temporary_that_the_sweep_removes(folder: Path) -> None:
    kept = blobs.store([b"hello"], limit=10)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = files_in(folder / blobs.INCOMING)
    assert blobs.sweep_temps(timedelta(hours=1)) == 0
    os.utime(left, (0, 0))
    assert blobs.sweep_temps(timedelta(hours=1)) == 1
    assert files_in(folder) == [blobs.path_of(kept.sha256)]
