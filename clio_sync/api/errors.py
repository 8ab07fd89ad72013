"""Everything that can go wrong between the portal and Clio.

    ClioError
    ├── RetryLater                  ask again, after `retry_after` seconds if Clio named a time
    │   ├── RateLimited             429, or the portal itself waits for a turn
    │   │   └── Resting             the portal itself holds calls back, because Clio is down
    │   ├── ServerTrouble           5xx, 408, 425
    │   ├── Unreachable             no answer, or only a part of one
    │   └── UploadTimeout           Clio ran out of time looking for the bytes: confirm once more
    ├── NeedsReconnect              a person has to authorise the portal again
    │   ├── TokenRejected           401, and no newer token was to be had
    │   └── GrantRevoked            the refresh token or the code is no longer good
    ├── Refused                     asking again will not help
    │   ├── Invalid                 400, 422 and any other 4xx
    │   ├── Forbidden               403
    │   ├── NotFound                404
    │   ├── Conflict                409
    │   ├── VersionGone             410: Clio has retired the API version the portal speaks
    │   ├── StaleEtag               412
    │   ├── UploadNotFound          confirmed, but the bytes are not in storage
    │   ├── AlreadyUploaded         confirmed, but it was marked complete before
    │   ├── AppRejected             Clio does not know the portal's app key or secret
    │   └── AddressRefused          the portal itself refused to call an address that is not on its list
    ├── ClioSurprised               an answer that cannot be understood; `field` says where
    └── StorageError                the storage behind put_url, which is not Clio's API
        ├── StorageExpired          the signed address is too old: get a fresh one
        ├── StorageDenied           storage refused for good (signature, header, method)
        ├── StorageBadDigest        the bytes arrived damaged
        ├── StorageTrouble          also RetryLater
        ├── StorageUnreachable      also RetryLater
        ├── StorageAddressRefused   also AddressRefused: put_url does not lead to a storage host on the list
        ├── BytesChanged            the file to send is not the file that was announced; nothing was stored
        └── TransferStopped         the caller's progress callback said stop; nothing was stored

A caller usually asks one question: `except RetryLater`, `except NeedsReconnect`, `except Refused`.
`ambiguous` says whether a write may have happened although it looks failed: look before repeating it.

No error holds a token, a signed address, a document or Clio's own wording (which quotes file names): only
codes, and the sentence below, which may be shown to a lawyer.
"""

from __future__ import annotations

import re
from typing import ClassVar


class ClioError(Exception):
    """Clio could not do what the portal asked."""

    words: ClassVar[str] = "Clio could not do what the portal asked."

    def __init__(
        self,
        sentence: str = "",
        *,
        status: int | None = None,
        error_type: str = "",
        request_id: str = "",
        route: str = "",
        ambiguous: bool = False,
        retry_after: float | None = None,
        attributes: tuple[str, ...] = (),
    ) -> None:
        self.sentence = sentence or self.words
        self.status = status
        """The HTTP status, or None when there was no answer."""
        self.error_type = code(error_type)
        """Clio's (or the storage's) own name for the error."""
        self.request_id = reference(request_id)
        self.route = route
        """Method and path with ids taken out, such as `PATCH documents/{id}`."""
        self.ambiguous = ambiguous
        """True when a write may have been carried out all the same."""
        self.retry_after = retry_after
        """Seconds Clio asked for. Only RetryLater ever has it."""
        self.attributes = attributes
        """Names of the attributes Clio objected to, where it said so. Names only, never values."""
        super().__init__(self.sentence)

    def __str__(self) -> str:
        facts = [self.route, f"HTTP {self.status}" if self.status else "", self.error_type]
        facts += [
            f"request {self.request_id}" if self.request_id else "",
            "ambiguous" if self.ambiguous else "",
        ]
        known = ", ".join(fact for fact in facts if fact)
        return f"{self.sentence} [{known}]" if known else self.sentence

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class RetryLater(ClioError):
    words = "Clio could not answer just now. The portal will try again by itself."


class RateLimited(RetryLater):
    words = "Clio asks the portal to slow down. The portal will go on by itself in a moment."


class Resting(RateLimited):
    words = "Clio failed several times in a row. The portal will try again by itself in a moment."


class ServerTrouble(RetryLater):
    words = "Clio has trouble on its side. The portal will try again by itself."


class Unreachable(RetryLater):
    words = "Clio could not be reached. The portal will try again by itself."


class UploadTimeout(RetryLater):
    words = "Clio is still looking for the file that was sent. The portal will ask again by itself."


class NeedsReconnect(ClioError):
    words = "Clio no longer accepts this connection. An admin has to reconnect it."


class TokenRejected(NeedsReconnect):
    words = "Clio no longer accepts this connection's access. An admin has to reconnect it."


class GrantRevoked(NeedsReconnect):
    words = "The permission given to the portal in Clio has ended. An admin has to reconnect it."


class Refused(ClioError):
    words = "Clio refused the request."


class Invalid(Refused):
    words = "Clio refused the request as not valid."


class Forbidden(Refused):
    words = "The connected Clio user, or the portal's app in Clio, may not do this."


class NotFound(Refused):
    words = "Clio does not have this record, or the connected Clio user may not see it."


class Conflict(Refused):
    words = "Clio is changing this record at this moment and refused a second change."


class VersionGone(Refused):
    words = (
        "Clio no longer offers the version of its API that this portal speaks. The portal has to be upgraded."
    )


class StaleEtag(Refused):
    words = "The record was changed in Clio in the meantime."


class UploadNotFound(Refused):
    words = "Clio did not find the file in its storage. It has to be sent again."


class AlreadyUploaded(Refused):
    words = "Clio says this version was already complete."


class AppRejected(Refused):
    words = "Clio does not accept the portal's app key or secret. An admin has to check them."


class AddressRefused(Refused):
    words = "The portal refused to call an address that is not on its list."


class ClioSurprised(ClioError):
    """Clio's answer is not what its documentation says. `field` names the first place that is wrong."""

    def __init__(
        self,
        field: str,
        problem: str,
        *,
        status: int | None = None,
        request_id: str = "",
        route: str = "",
        ambiguous: bool = False,
    ) -> None:
        self.field = re.sub(r"[^\w.\[\] -]", "?", field, flags=re.ASCII)[:120]
        self.problem = problem
        super().__init__(
            f"Clio's answer could not be understood: {self.field} {problem}.",
            status=status,
            request_id=request_id,
            route=route,
            ambiguous=ambiguous,
        )


class StorageError(ClioError):
    words = "Clio's file storage did not accept the file."


class StorageExpired(StorageError):
    words = "The address Clio gave for the file had expired. The portal will ask for a new one."


class StorageDenied(StorageError):
    words = "Clio's file storage refused the file."


class StorageBadDigest(StorageError):
    words = "The file was damaged on its way to Clio's storage. It has to be sent again."


class StorageTrouble(StorageError, RetryLater):
    words = "Clio's file storage has trouble. The portal will try again by itself."


class StorageUnreachable(StorageError, RetryLater):
    words = "Clio's file storage could not be reached. The portal will try again by itself."


class StorageAddressRefused(StorageError, AddressRefused):
    words = "Clio named a storage address that is not on this portal's list. Nothing was sent."


class BytesChanged(StorageError):
    words = "The file to send is not the file that was approved. Nothing was stored."


class TransferStopped(StorageError):
    words = "Sending was stopped before the file was complete. Nothing was stored."


def code(value: object) -> str:
    """An error's technical name from outside, or nothing: never a sentence, which may quote what a client
    wrote.
    """
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z_.:]{1,60}", value) else ""


def reference(value: object) -> str:
    """A request id from outside, or nothing."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9+/=_-]{1,100}", value) else ""
