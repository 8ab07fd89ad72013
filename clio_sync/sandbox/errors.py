"""What the sandbox refuses, in the two shapes Clio uses."""

from __future__ import annotations


class Refusal(Exception):
    """An answer of the shape ``{"error": {"type", "message"}}``. Whatever the call had changed is undone."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message


class BadToken(Exception):
    """The bearer token is unknown, expired or revoked. Here ``error`` is a string, not an object."""

    # Clio's own sentence.
    DESCRIPTION = "The access token provided is expired, revoked, malformed or invalid for other reasons."


class StorageRefusal(Exception):
    """An answer of the storage host: an XML ``<Error>`` with a code that clients branch on."""

    def __init__(self, status: int, code: str, message: str, **details: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


def invalid_argument(reason: str) -> Refusal:
    return Refusal(422, "ArgumentError", f"An invalid argument was supplied: {reason}")


def invalid_field(name: str) -> Refusal:
    return Refusal(400, "InvalidFields", f"{name} is not a valid field")


def forbidden() -> Refusal:
    return Refusal(403, "ForbiddenError", "User is forbidden from taking that action")


def not_found(what: str) -> Refusal:
    return Refusal(404, "RecordNotFound", f"{what} could not be found")
