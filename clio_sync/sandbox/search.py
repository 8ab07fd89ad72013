"""The search index behind ``query``. It lags: a write is found by its old words until the lag has passed."""

from __future__ import annotations

from clio_sync.sandbox.call import Call
from clio_sync.sandbox.paging import Listing
from clio_sync.sandbox.state import State


def index(state: State, kind: str, record_id: int, text: str, *, at_once: bool = False) -> None:
    since = 0.0 if at_once else state.now_s()
    state.run(
        "INSERT INTO search_entry (kind, id, text, since_s) VALUES (?, ?, ?, ?) ON CONFLICT (kind, id)"
        " DO UPDATE SET earlier = text, text = excluded.text, since_s = excluded.since_s",
        kind,
        record_id,
        text,
        since,
    )


def keep(call: Call, listing: Listing, kind: str) -> None:
    """Keep what contains every word of ``query``, in any case; ``*`` stands for anything."""
    settled = call.state.now_s() - call.state.number("search_lag_seconds")
    for word in (call.text("query") or "").split():
        listing.keep(
            "id IN (SELECT id FROM search_entry WHERE kind = ?"
            " AND CASE WHEN since_s <= ? THEN text ELSE earlier END LIKE ? ESCAPE '\\')",
            kind,
            settled,
            f"%{_pattern(word)}%",
        )


def _pattern(word: str) -> str:
    for sign in ("\\", "%", "_"):
        word = word.replace(sign, f"\\{sign}")
    return word.replace("*", "%")
