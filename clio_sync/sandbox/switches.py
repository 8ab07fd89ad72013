"""Every point on which Clio's behaviour is not confirmed, with the answers the sandbox can give.

The portal must pass with each of them. Set them with ``POST /switches`` on the control API, or ``--switch``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Value = bool | int | float | str


class UnknownSwitch(Exception):
    """There is no switch of this name, or it does not take this value."""


@dataclass(frozen=True)
class Switch:
    name: str
    default: Value
    meaning: str
    choices: tuple[Value, ...] = ()

    def read(self, value: object) -> Value:
        """Accept a value of the switch's own kind, or text for it, or say what it takes."""
        read = _read_as(self.default, value)
        if read is None or (self.choices and read not in self.choices):
            takes = ", ".join(map(str, self.choices)) or type(self.default).__name__
            raise UnknownSwitch(f"The switch {self.name} takes {takes}, not {value!r}.")
        return read


def _read_as(default: Value, value: object) -> Value | None:
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(str(value).lower())
    if isinstance(default, str):
        return value if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value) if isinstance(default, int) else float(value)
    except ValueError:
        return None


_ALL = (
    Switch("rate_limit", 50, "Requests a token may make in one window."),
    Switch("rate_window_seconds", 60, "Length of the window."),
    Switch(
        "rate_model",
        "minute",
        "Where windows begin: at the token's first call, on the minute, or a sliding log.",
        ("anchored", "minute", "sliding"),
    ),
    Switch("rate_counts_429", False, "Refused calls use up the budget too."),
    Switch("rate_counts_304", True, "Answers 304 use up the budget."),
    Switch("rate_headers_on_errors", True, "X-RateLimit-* stand on 4xx answers as well."),
    Switch("retry_after_format", "seconds", "How Retry-After is written.", ("seconds", "date")),
    Switch("rate_error_body", "json", "Body of a 429.", ("json", "html", "empty")),
    Switch("search_lag_seconds", 2.0, "How long the `query` index lags behind writes."),
    Switch(
        "external_property_lag_seconds", 0.0, "How long filters on external properties lag behind writes."
    ),
    Switch(
        "unfinished_hidden",
        True,
        "Lists leave out unfinished documents unless show_uncompleted asks for them.",
    ),
    Switch("unfinished_found_by_property", True, "An unfinished document is found by its external property."),
    Switch("matter_id_includes_subfolders", True, "`matter_id` alone also finds files in sub-folders."),
    Switch("bare_association_has_name", False, "An association named without braces brings `name` as well."),
    Switch("records_in_meta", True, "Lists say how many records match in `meta.records`."),
    Switch("put_url_seconds", 600, "Lifetime of a put_url (the schema says 10 minutes, the guide 8 hours)."),
    Switch("put_url_renewed_on_show", True, "Showing an unfinished version gives fresh put_urls; else none."),
    Switch(
        "parts_announced_again",
        True,
        "A part that was announced may be announced again, for a fresh put_url.",
    ),
    Switch(
        "latest_version_shows_unfinished", True, "Showing a document gives its unfinished newest version."
    ),
    Switch(
        "upload_error_status",
        422,
        "Status of UploadNotFoundError and UploadTimeoutError.",
        (400, 404, 422, 500),
    ),
    Switch("confirm_times_out", 0, "How many of the next confirmations answer UploadTimeoutError."),
    Switch(
        "confirm_again",
        "error",
        "Marking an uploaded version again: an error, or 200 as if nothing were wrong.",
        ("error", "ok"),
    ),
    Switch("confirm_again_status", 422, "Status of that error.", (400, 409, 422)),
    Switch("confirm_again_type", "ArgumentError", "`error.type` of that error."),
    Switch("size_lag_seconds", 0.0, "How long after the confirmation `size` stays null."),
    Switch("delete_unfinished", "trash", "Deleting an unfinished document.", ("trash", "404", "409")),
    Switch("show_trashed", False, "A trashed document can still be shown; otherwise 404."),
    Switch(
        "confirm_trashed", False, "A version of a trashed document can still be confirmed; otherwise 404."
    ),
    Switch("locked_status", 403, "Status when a locked item is to be changed.", (403, 409, 422)),
    Switch("locked_type", "ForbiddenError", "`error.type` of that answer."),
    Switch(
        "version_properties",
        "added",
        "External properties sent with a new version are added to the document, or ignored.",
        ("added", "ignored"),
    ),
    Switch("closed_matter_refuses", False, "A closed matter takes no new documents (422)."),
    Switch("minimum_part_bytes", 5 * 1024 * 1024, "Smallest part of a multipart upload, the last one aside."),
    Switch("external_property_length", 255, "Longest name or value of an external property."),
    Switch(
        "storage_style",
        "path",
        "Form of the storage URLs: bucket in the path or in the host.",
        ("path", "virtual"),
    ),
    Switch("not_found_type", "RecordNotFound", "`error.type` of a 404."),
    Switch("conflict_type", "ConflictError", "`error.type` of a 409."),
    Switch("stale_etag_type", "PreconditionFailed", "`error.type` of a 412."),
    Switch("gone_type", "InvalidApiVersion", "`error.type` of a 410."),
    Switch("rate_limit_type", "RateLimited", "`error.type` of a 429."),
    Switch("access_token_seconds", 2592000, "Lifetime of an access token."),
    Switch(
        "refresh_rotation",
        "none",
        "Refreshing: the token stays; a new one comes and the old still works; or the old one dies.",
        ("none", "new", "kill"),
    ),
    Switch(
        "refresh_reuse_kills_grant", False, "Using a rotated refresh token again revokes the whole grant."
    ),
    Switch("refresh_ends_old_access", False, "A refresh ends the earlier access tokens of the grant."),
    Switch("deauthorize_ends_refresh", True, "Deauthorizing also ends the refresh token."),
    Switch(
        "decline_always_redirects", False, "A declined grant comes back even without redirect_on_decline."
    ),
    Switch("code_reuse_kills_grant", True, "Using an authorization code again revokes what it gave."),
    Switch("code_seconds", 600, "Lifetime of an authorization code."),
    Switch(
        "invalid_grant_text", "The provided access grant is invalid, expired, or revoked.", "Its description."
    ),
)

SWITCHES: Mapping[str, Switch] = {switch.name: switch for switch in _ALL}


def read(name: str, value: object) -> Value:
    if name not in SWITCHES:
        raise UnknownSwitch(f"There is no switch named {name!r}. GET /switches lists them.")
    return SWITCHES[name].read(value)
