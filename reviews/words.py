"""The words that come with a draft, from people and from programs: how many, and of which characters.

They are shown to reviewers and kept for ever, so what cannot be seen, or makes text read otherwise than it is
written, is refused; and a database that holds less is no place to find out that they were too long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from reviews.errors import BadSubmission

LONGEST: Final[Mapping[str, int]] = {
    "title": 200,
    "note": 2000,
    "matter_number": 100,
    "folder_path": 1000,
    "file_name": 255,
    "tool": 100,
    "model": 100,
    "model_version": 100,
    "task": 500,
    "run": 100,
}
"""Characters, by field."""

WITH_LINES: Final = frozenset({"note", "task"})

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2060-\u2069\u200b\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_LINES: Final = re.compile("[\t\n\r]")


def check(**said: str) -> None:
    """Raise BadSubmission for the first field that is too long or holds what nobody can see."""
    for field, text in said.items():
        if len(text) > LONGEST[field]:
            raise BadSubmission(
                "too_long", f"This is too long: at most {LONGEST[field]} characters.", field=field
            )
        unseen = _UNSEEN.search(text) or (None if field in WITH_LINES else _LINES.search(text))
        if unseen:
            code = f"U+{ord(unseen[0]):04X}"
            raise BadSubmission(
                "characters",
                f"This holds a character that nobody can see, {code}. Type it anew.",
                field=field,
            )
