"""Why a draft cannot go where somebody wants it to go."""

from __future__ import annotations


class BadDestination(Exception):
    """The place does not exist, or takes no documents. `code` is for programs, `sentence` for people."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


class ClioUnavailable(BadDestination):
    """Clio cannot be asked just now, so nobody knows. Ask again after `retry_after` seconds."""

    def __init__(self, sentence: str, *, retry_after: float | None = None) -> None:
        super().__init__("clio_unavailable", sentence)
        self.retry_after = retry_after
