from __future__ import annotations

import threading
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection
from kombu.transport import resolve_transport

from portal.broker import FolderTransport, transport_options
from portal.celery import app

MESSAGES = 300
QUEUE = "celery"


@pytest.fixture
def channel(tmp_path: Path) -> Any:
    options = transport_options("filesystem://localhost", tmp_path)
    return Connection("filesystem://localhost", transport_options=options).channel()


def test_the_portal_puts_its_own_transport_behind_the_address_of_a_folder() -> None:
    assert app.main == "portal"
    transport: Any = resolve_transport("filesystem")
    assert transport is FolderTransport


def test_a_reader_never_meets_a_half_written_message(channel: Any) -> None:
    sent = [{"body": "x" * 20_000, "number": number} for number in range(MESSAGES)]
    writer = threading.Thread(target=lambda: [channel._put(QUEUE, payload) for payload in sent])
    writer.start()
    read = []
    while writer.is_alive() or channel._size(QUEUE):
        try:
            read.append(channel._get(QUEUE))
        except Empty:
            continue
    writer.join()
    assert sorted(message["number"] for message in read) == list(range(MESSAGES))


def test_messages_are_read_in_the_order_they_were_put(channel: Any) -> None:
    for number in range(3):
        channel._put(QUEUE, {"number": number})
        threading.Event().wait(0.002)
    assert [channel._get(QUEUE)["number"] for _ in range(3)] == [0, 1, 2]


def test_a_table_that_is_just_being_written_is_looked_at_again(channel: Any, tmp_path: Path) -> None:
    table = tmp_path / "broker" / "control" / "news.exchange"
    table.touch()
    later = threading.Timer(0.1, table.write_text, ['[["", "", "celery"]]'])
    later.start()
    assert [binding.queue for binding in channel.get_table("news")] == ["celery"]
    later.join()


def test_a_table_that_stays_broken_is_an_error(channel: Any, tmp_path: Path) -> None:
    (tmp_path / "broker" / "control" / "news.exchange").touch()
    with pytest.raises(ValueError, match="Expecting value"):
        channel.get_table("news")
