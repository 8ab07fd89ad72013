"""Reading JSON from outside without trusting it: each access says what it expects and names the place when it
is not so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NoReturn, TypeVar

T = TypeVar("T")

_LARGEST_ID: Final = 2**63 - 1
_LARGEST_NUMBER: Final = 2**31 - 1
_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
"""What JSON can say and PostgreSQL cannot keep."""


class Surprise(Exception):
    """The place and the trouble, for ClioSurprised. Holds nothing of what was sent."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field} {problem}")


def parse_object(content: bytes, *, answered_at: float = 0.0) -> Fields:
    """The body as one JSON object. Raises Surprise; never an error that quotes the body."""
    problem = ""
    try:
        value = json.loads(content, object_pairs_hook=_once, parse_constant=_no_constant)
    except Surprise as surprise:
        problem = surprise.problem
    except (ValueError, RecursionError):
        problem = "is not JSON"
    if problem:
        raise Surprise("the body", problem)
    if not isinstance(value, dict):
        raise Surprise("the body", "is not an object")
    return Fields(value, "", answered_at)


class Fields:
    """One JSON object and where it stands. Shows nothing of its content when printed."""

    __slots__ = ("_place", "_values", "answered_at")

    def __init__(self, values: dict[str, object], place: str, answered_at: float) -> None:
        self._values = values
        self._place = place
        self.answered_at = answered_at
        """Unix seconds by the sender's clock."""

    def __repr__(self) -> str:
        return f"<Fields {self._place or 'body'}>"

    def place(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name

    def surprise(self, name: str, problem: str) -> NoReturn:
        raise Surprise(self.place(name), problem)

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def id(self, name: str = "id") -> int:
        return self._need(name, self.maybe_id(name))

    def maybe_id(self, name: str) -> int | None:
        number = self.maybe_number(name)
        if number is not None and not 0 < number <= _LARGEST_ID:
            self.surprise(name, "is not an id")
        return number

    def maybe_number(self, name: str) -> int | None:
        """A whole number that is not negative. Text that looks like one is a surprise, and so is true."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.surprise(name, "is not a whole number")
        return value

    def maybe_version_number(self, name: str = "version_number") -> int | None:
        number = self.maybe_number(name)
        if number is not None and number > _LARGEST_NUMBER:
            self.surprise(name, "is too large")
        return number

    def text(self, name: str) -> str:
        value = self._need(name, self.maybe_text(name))
        if not value:
            self.surprise(name, "is empty")
        return value

    def maybe_text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            self.surprise(name, "is not text")
        if value is not None and _NO_TEXT.search(value):
            self.surprise(name, "is not text")
        return value

    def uuid(self, name: str = "uuid") -> str:
        value = self.text(name)
        if not re.fullmatch(r"[A-Za-z0-9-]{8,60}", value):
            self.surprise(name, "is not a uuid")
        return value

    def flag(self, name: str) -> bool:
        return self._need(name, self.maybe_flag(name))

    def maybe_flag(self, name: str) -> bool | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            self.surprise(name, "is not true or false")
        return value

    def maybe_moment(self, name: str) -> datetime | None:
        value = self.maybe_text(name)
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None:
            self.surprise(name, "is not a date and time")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def child(self, name: str) -> Fields:
        return self._need(name, self.maybe_child(name))

    def maybe_child(self, name: str) -> Fields | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.surprise(name, "is not an object")
        return Fields(value, self.place(name), self.answered_at)

    def children(self, name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
        """Each object of a list, read by `read`. Absent and null are an empty list."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.surprise(name, "is not a list")
        return tuple(read(self._item(name, index, item)) for index, item in enumerate(value))

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.surprise(name, "is not a list of texts")
        return tuple(value)

    def names(self, name: str) -> tuple[str, ...]:
        """The keys of an object inside, or nothing when it is anything else."""
        value = self._values.get(name)
        return tuple(value) if isinstance(value, dict) else ()

    def _item(self, name: str, index: int, item: object) -> Fields:
        place = f"{self.place(name)}[{index}]"
        if not isinstance(item, dict):
            raise Surprise(place, "is not an object")
        return Fields(item, place, self.answered_at)

    def _need(self, name: str, value: T | None) -> T:
        if value is None:
            self.surprise(name, "is missing")
        return value


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Readers disagree on which of two equal keys counts, so none of them does."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Surprise("the body", "has a key twice")
    return values


def _no_constant(_name: str) -> NoReturn:
    raise Surprise("the body", "holds a number that is not one")
