"""The firm's rule for the names of documents in Clio, such as `{date} {matter} {title}`.

A rule is never changed: a newer one takes its place for drafts that come later, so that the name a reviewer
approved can always be told. Without a rule, or with an empty one, a file keeps its own name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import transaction
from django.utils import timezone

from clio_sync.destinations import Destination
from portal.accounts import roles
from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record
from reviews.errors import BadSubmission, NotAllowed
from reviews.formats import check_name, composed
from reviews.formats.names import MAX_NAME_BYTES, is_reserved, what_is_wrong_with
from reviews.models import NamingRule

LONGEST_PATTERN: Final = 200
FIELDS: Final[Mapping[str, str]] = {
    "date": "the day of submission, as 2026-11-21",
    "matter": "the matter's number",
    "client": "the client's name",
    "title": "the draft's title",
    "version": "the draft's version, as v2",
    "original": "the file's own name without its ending",
}
OWN, CHOSEN, RULE = "", "chosen", "rule:"
"""Who named the file: itself, a person or program, or a rule of this number (`Destination.named_by`)."""

LONGEST_LOST: Final = 20
"""Characters that a cut may cost so that it falls between two words."""

_PART: Final = re.compile(r"\{(\w*)\}|([^{}]+)|([{}])")
_SEAMS: Final = " -_.,–—"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a name can be made of."""

    day: date
    matter: str
    client: str
    title: str
    version: int
    original: str

    @classmethod
    def of(cls, place: Destination, *, title: str, version: int, original: str) -> Facts:
        return cls(
            day=timezone.localdate(),
            matter=place.matter_number,
            client=place.client_name,
            title=title,
            version=version,
            original=original,
        )


def in_force() -> NamingRule | None:
    return NamingRule.objects.order_by("-pk").first()


def name_for(facts: Facts) -> tuple[str, str]:
    """How a new draft is called in Clio, and who says so."""
    rule = in_force()
    if rule is None or not rule.pattern:
        return facts.original, OWN
    return compose(rule.pattern, facts), f"{RULE}{rule.pk}"


def renamed(place: Destination, facts: Facts) -> str:
    """The name of a newer version, by whatever named the first one."""
    if place.named_by == CHOSEN:
        return _with_ending(_stem(place.file_name), facts.original)
    if place.named_by.startswith(RULE):
        rule = NamingRule.objects.get(pk=place.named_by.removeprefix(RULE))
        return compose(rule.pattern, facts)
    return facts.original


def compose(pattern: str, facts: Facts) -> str:
    """The name by a rule: the file's own ending, nothing that Clio or a file system dislikes, not too long.

    What it cannot make a name of keeps the file's own.
    """
    said = {
        "date": facts.day.isoformat(),
        "matter": facts.matter,
        "client": facts.client,
        "title": facts.title,
        "version": f"v{facts.version}",
        "original": _stem(facts.original),
    }
    filled = "".join(said.get(name, "") if name else text for name, text, _ in _PART.findall(pattern))
    stem = _cleaned(filled)
    return _with_ending(stem, facts.original) if stem else facts.original


def check(pattern: str) -> str:
    """The pattern, in one piece. Raises BadSubmission for one that cannot make names."""
    pattern = composed(pattern.strip())
    if len(pattern) > LONGEST_PATTERN:
        raise _bad(f"This is too long: at most {LONGEST_PATTERN} characters.")
    for name, text, brace in _PART.findall(pattern):
        if brace or (not text and name not in FIELDS):
            known = ", ".join(f"{{{field}}}" for field in FIELDS)
            raise _bad(f"“{{{name}}}” is no field." if not brace else "A brace stands alone.", known)
        for character in text:
            if what := what_is_wrong_with(character):
                raise _bad(f"The rule contains {what}.")
    if pattern and not _PART.sub(lambda part: "x" if part[1] else "", pattern):
        raise _bad("Every document would have the same name. Use at least one field.")
    return pattern


@transaction.atomic
def change(pattern: str, *, by: User, actor: Actor) -> NamingRule:
    """Another rule, for drafts that are submitted from now on. An empty one lets files keep their names."""
    if not roles.may_administer(User.objects.get(pk=by.pk)):
        raise NotAllowed("Only an admin can change the rule for file names.")
    pattern, previous = check(pattern), in_force()
    rule = NamingRule.objects.create(pattern=pattern, made_by=by)
    record(
        Event.NAMING_RULE_CHANGED,
        actor=actor,
        subject=Subject("naming_rule", rule.pk),
        texts={"pattern": pattern},
        previous=previous.pk if previous else None,
        fields=[name for name, _, _ in _PART.findall(pattern) if name],
    )
    return rule


def _bad(sentence: str, known: str = "") -> BadSubmission:
    return BadSubmission("pattern", f"{sentence} Fields are {known}." if known else sentence, field="pattern")


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _cleaned(text: str) -> str:
    """Without what file systems dislike, nor the seams that an empty field leaves."""
    kept = (_harmless(character) for character in composed(text))
    words = " ".join("".join(kept).split())
    return composed(words).strip(_SEAMS)


def _harmless(character: str) -> str:
    if what_is_wrong_with(character) is None:
        return character
    category = unicodedata.category(character)
    return "-" if category[0] in "PS" else " " if category[0] in "ZC" and character.isspace() else ""


def _with_ending(stem: str, original: str) -> str:
    ending = original[len(_stem(original)) :]
    name = f"{_shortened(stem, MAX_NAME_BYTES - len(ending.encode()))}{ending}"
    if is_reserved(name):
        name = f"_{_shortened(stem, MAX_NAME_BYTES - len(ending.encode()) - 1)}{ending}"
    check_name(name)
    return name


def _shortened(stem: str, room: int) -> str:
    """Whole characters with their accents, as many as have room."""
    end = len(stem)
    while len(stem[:end].encode()) > room or (end < len(stem) and _hangs_on(stem[end])):
        end -= 1
    word = stem.rfind(" ", end - LONGEST_LOST, end) if end < len(stem) and stem[end] != " " else -1
    return stem[: word if word > 0 else end].rstrip(_SEAMS)


def _hangs_on(character: str) -> bool:
    return unicodedata.category(character) in {"Mn", "Mc", "Me"}
