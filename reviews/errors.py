"""What can go wrong with a review, each with the sentence a person reads."""

from __future__ import annotations

import math


class ReviewError(Exception):
    """Base: the act did not happen, and nothing changed."""

    code = "refused"
    status = 409

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotNewest(ReviewError):
    """The decision was about a version, or a page, that is no longer the newest."""

    code = "not_newest"


class WrongState(ReviewError):
    """The draft is past the point where this act makes sense."""

    code = "wrong_state"


class NotAllowed(ReviewError):
    """This person may see the draft but not do this."""

    code = "not_allowed"
    status = 403


class TooLate(ReviewError):
    """The filing is past the point where this is possible."""

    code = "too_late"


class AlreadyFiled(ReviewError):
    """Clio holds this version from before a backup was restored."""

    code = "already_filed"


class BytesChanged(ReviewError):
    """The stored bytes no longer have the hash of the version: the store was damaged or tampered with."""

    code = "bytes_changed"


class BytesMissing(ReviewError):
    """The stored file of this version is missing. Tell an admin: it can be restored from a backup."""

    code = "bytes_missing"
    status = 503

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


class BadSubmission(ReviewError):
    """The draft may not come in. `field` names the part of the form; nothing was kept."""

    status = 422

    def __init__(self, code: str, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.field = field


class TooBig(BadSubmission):
    """More bytes than the firm's limit."""

    status = 413


class KeyReused(BadSubmission):
    """The same Idempotency-Key came with other content."""

    status = 409


class TryLater(BadSubmission):
    """Clio could not be asked just now; the same submission may succeed after `retry_after` seconds."""

    status = 503

    def __init__(
        self, code: str, sentence: str, *, field: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(code, sentence, field=field)
        self.retry_after = math.ceil(retry_after or 10.0)
