"""The rows of the log. The database refuses to change or delete an entry, and to add one out of order.

Nothing here points to another table, and no other table points here: deleting or renaming elsewhere cannot
touch history. Rows are written by `portal.audit.log` and by nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from portal.audit.columns import BodyInstant, BodyText, SequenceField
from portal.audit.entry import NOTHING_BEFORE, NotCanonical, commitment, entry_hash, parse


class Outcome(models.TextChoices):
    OK = "ok", "Done"
    DENIED = "denied", "Denied"
    ERROR = "error", "Failed"


class EntryQuerySet(models.QuerySet["Entry"]):
    def about_person(self, person_id: str) -> Self:
        """What this person did, what was done in their name, and what was done to them."""
        return self.filter(
            Q(actor_type="user", actor_id=person_id)
            | Q(on_behalf_of=person_id)
            | Q(object_type="person", object_id=person_id)
        )

    def newest_first(self) -> Self:
        return self.order_by("-seq")

    def in_order(self, *, start: int = 0, batch: int = 2000) -> Iterator[list[Entry]]:
        """All rows of this set in batches, oldest first, never more than one batch in memory."""
        while rows := list(self.filter(seq__gte=start).order_by("seq")[:batch]):
            yield rows
            start = rows[-1].seq + 1


def _said(path: str, length: int) -> models.GeneratedField:
    return models.GeneratedField(
        expression=BodyText("body", path),
        output_field=models.CharField(max_length=length, null=True),
        db_persist=True,
    )


class Entry(models.Model):
    """One record. The log commits to `body`; the database computes the other columns from it."""

    seq = SequenceField(primary_key=True)  # from 0, without gaps: the index of the leaf in the tree
    body = models.BinaryField()
    leaf = models.BinaryField()  # entry.leaf_hash(body)
    at = models.GeneratedField(
        expression=BodyInstant("body"), output_field=models.DateTimeField(), db_persist=True
    )
    event = _said("event", 64)
    outcome = _said("outcome", 16)
    actor_type = _said("actor.type", 16)
    actor_id = _said("actor.id", 64)
    on_behalf_of = _said("actor.on_behalf_of", 64)
    object_type = _said("object.type", 32)
    object_id = _said("object.id", 64)
    corr = _said("corr", 64)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["event", "-seq"], name="audit_event"),
            models.Index(fields=["actor_type", "actor_id", "-seq"], name="audit_actor"),
            models.Index(
                F("on_behalf_of"),
                F("seq").desc(),
                name="audit_behalf",
                condition=Q(on_behalf_of__isnull=False),
            ),
            models.Index(fields=["object_type", "object_id", "-seq"], name="audit_object"),
            models.Index(fields=["corr", "-seq"], name="audit_corr"),
            models.Index(fields=["at"], name="audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.event}"

    @property
    def exact_bytes(self) -> bytes:
        return bytes(self.body)

    @cached_property
    def content(self) -> dict[str, Any]:
        """What the bytes say; nothing, if they are not an entry (only tampering can do that)."""
        try:
            return parse(self.exact_bytes)
        except NotCanonical:
            return {}

    @property
    def hash(self) -> bytes:
        return entry_hash(self.exact_bytes)


class Head(models.Model):
    """Where the log ends; its one row is the lock that keeps writers in line. It moves forward by one."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=0, editable=False)
    origin = models.CharField(max_length=120)  # the log's name, written into each entry
    size = models.BigIntegerField(default=0)
    last_hash = models.BinaryField(default=NOTHING_BEFORE)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=0), name="the_log_has_one_head")]

    def __str__(self) -> str:
        return f"{self.origin} {self.size}"


class TextSecret(models.Model):
    """A text that an entry commits to without holding it.

    Deleting the row forgets the text for good and leaves the log whole; changing it is refused by the
    database.
    """

    seq = models.BigIntegerField()  # no foreign key: see the module's docstring
    field = models.CharField(max_length=64)
    salt = models.BinaryField()
    value = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seq", "field"], name="one_text_a_field")]

    def __str__(self) -> str:
        return f"{self.seq} {self.field}"

    @property
    def commitment(self) -> str:
        return commitment(bytes(self.salt), self.value)
