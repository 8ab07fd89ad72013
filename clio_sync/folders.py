"""Names of folders: Clio allows equal ones, so which one a name means is said here, once."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Protocol, TypeVar


class Named(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def own_name(self) -> str: ...


N = TypeVar("N", bound=Named)


def same(name: str) -> str:
    """What two spellings of one name have in common: for people `Smith` and `SMITH` are one folder."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def called(name: str, folders: Iterable[N]) -> N | None:
    """The folder of this name: written exactly so, else in other letters; of several the oldest."""
    alike = sorted((one for one in folders if same(one.own_name) == same(name)), key=lambda one: one.id)
    exact = [one for one in alike if one.own_name == name]
    return next(iter(exact or alike), None)
