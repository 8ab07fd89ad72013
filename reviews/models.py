"""Drafts, their immutable versions, and the decisions that reviewers made about them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clio_sync.models import Connection, Delivery
from portal.accounts.models import ApiKey, User
from portal.accounts.roles import may_review, may_submit


class Kind(models.TextChoices):
    DOCUMENT = "document", "Document"


class Status(models.TextChoices):
    """Where the review stands. What happens after approval is told by the Delivery, not repeated here."""

    WAITING = "waiting", "Waiting"
    IN_REVIEW = "in_review", "In review"
    RETURNED = "returned", "Returned"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    APPROVED = "approved", "Approved"


UNTOLD = Q(outcome_told_at=None)


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, user: User) -> DraftQuerySet:
        """The drafts that exist for this person: all for a reviewer, their own for a submitter, else none."""
        if may_review(user):
            return self
        if may_submit(user):
            return self.filter(submitter=user)
        return self.none()


class Draft(models.Model):
    """Something proposed for a Clio matter. `revision` grows with every change of state: a form from an older
    page is refused, which also makes each approval form good for one use."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.DOCUMENT)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    revision = models.PositiveIntegerField(default=1)
    submitter = models.ForeignKey(User, on_delete=models.PROTECT, related_name="submitted_drafts")
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, related_name="drafts")
    reviewer = models.ForeignKey(  # who claimed it
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="claimed_drafts"
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    destination = models.JSONField()  # clio_sync.destinations.Destination
    matter_id = models.BigIntegerField()
    matter_number = models.CharField(max_length=100)
    client_name = models.CharField(max_length=200, blank=True)
    latest_version = models.ForeignKey(
        "Version", on_delete=models.PROTECT, null=True, related_name="+"
    )  # null only inside submit()
    media_type = models.CharField(max_length=100)  # of the newest version, for the queue's filter
    search_text = models.TextField(blank=True)  # lower case: title, matter, client, file name
    delivery = models.OneToOneField(
        Delivery, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome_told_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["status", "submitted_at", "id"], name="draft_queue"),
            models.Index(fields=["submitter", "status", "submitted_at"], name="draft_mine"),
            models.Index(fields=["reviewer", "status", "submitted_at"], name="draft_claimed"),
            models.Index(fields=["matter_id", "submitted_at"], name="draft_matter"),
            models.Index(fields=["status", "changed_at"], name="draft_untold", condition=UNTOLD),
            models.Index(fields=["status", "changed_at", "id"], name="draft_latest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="approved") | Q(delivery__isnull=False), name="approved_has_a_delivery"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Version(models.Model):
    """One immutable content of a draft. The database refuses to change or delete it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    file_name = models.CharField(max_length=255)
    page_count = models.PositiveIntegerField(null=True)
    findings = models.JSONField(default=list)  # formats.Finding: what else is in this file
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_by_ai = models.BooleanField(default=False)
    provenance = models.JSONField(default=dict)  # intake.Provenance when made_by_ai
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["draft", "number"], name="one_version_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} v{self.number}"


class Opening(models.Model):
    """The first time a person opened a version's review screen. Opened is not reviewed."""

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="openings")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "user"], name="one_first_opening")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.version_id}"


class Decision(models.Model):
    """One reviewer's verdict on one version, bound to its SHA-256. The database refuses to change it."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", "Approved"
        RETURN = "return", "Returned for changes"
        REJECT = "reject", "Rejected"

    class Reason(models.TextChoices):
        FACTS = "facts", "Facts are wrong or unsupported"
        LAW = "law", "Law or citations are wrong"
        MATTER = "matter", "Wrong matter, client or destination"
        TONE = "tone", "Wording or tone"
        INCOMPLETE = "incomplete", "Something is missing"
        CONFIDENTIAL = "confidential", "Holds what must not go out"
        OTHER = "other", "Other"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="decisions")
    sha256 = models.CharField(max_length=64)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    reason_code = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    reason = models.TextField(blank=True)
    statement_version = models.CharField(max_length=20, blank=True)  # of the attestation the reviewer ticked
    attestation = models.JSONField(default=dict)  # system-observed, attested and derived, kept apart
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict="approve") | ~Q(reason_code=""), name="refusal_has_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(verdict="approve") | ~Q(statement_version=""), name="approval_has_a_statement"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.version_id}"


class NamingRule(models.Model):
    """How documents are called in Clio from this moment on: the newest row counts. The database refuses to
    change or delete one."""

    pattern = models.CharField(max_length=200, blank=True)  # empty: each file keeps its own name
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.pattern or "each file's own name"


class Submission(models.Model):
    """An API key's `Idempotency-Key`: same key and content is the same draft, other content a conflict."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)  # SHA-256 over the fields and the file's SHA-256
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="one_draft_a_key")]

    def __str__(self) -> str:
        return self.key
