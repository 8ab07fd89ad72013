"""A value that must never be read by accident: an access token, a refresh token, a signed address."""

from __future__ import annotations

import hmac
from typing import Final, Never

_MASK: Final = "***"


class Secret:
    """Text that shows as `***` wherever it is printed, logged or formatted.

    Call `reveal()` at the one place that needs the text, and keep the result out of variables that outlive
    the expression. A Secret refuses to be pickled, so it cannot ride in a task's arguments or a cache by
    mistake.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        return self.__value

    def __repr__(self) -> str:
        return _MASK

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return _MASK

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> Never:
        raise TypeError(
            "A secret is not written down: reveal it where it is needed and encrypt what is stored."
        )
