"""Links to Clio, and the rows that carry approved bytes there. The row is the queue; Celery is the bell."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Region(models.TextChoices):
    """Clio's deployments; an account lives in exactly one (Clio's page "Regions")."""

    US = "us", "United States"
    CA = "ca", "Canada"
    EU = "eu", "Europe, UK"
    AU = "au", "Australia"
    SANDBOX = "sandbox", "Sandbox (rehearsal)"


class Connection(models.Model):
    """An authorised link to one Clio account in one region. Tokens are stored sealed (`clio_sync.vault`)."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Connected"
        NEEDS_RECONNECTING = "needs_reconnecting", "Needs reconnecting"
        DISCONNECTED = "disconnected", "Disconnected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    region = models.CharField(max_length=10, choices=Region.choices)
    account_id = models.BigIntegerField()
    account_name = models.CharField(max_length=200)
    clio_user_id = models.BigIntegerField()
    clio_user_name = models.CharField(max_length=200)
    owner = models.ForeignKey(  # the lawyer whose own connection this is; null for the firm's
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    is_default = models.BooleanField(default=False)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.ACTIVE)
    access_sealed = models.BinaryField(default=bytes)
    refresh_sealed = models.BinaryField(default=bytes)
    token_version = models.PositiveIntegerField(default=0)
    token_issued_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    refresh_lease_owner = models.CharField(max_length=40, blank=True)
    refresh_lease_until = models.DateTimeField(null=True, blank=True)
    connected_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    connected_at = models.DateTimeField(default=timezone.now)
    last_call_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)  # our sentence, never Clio's body
    last_error_at = models.DateTimeField(null=True, blank=True)
    break_told_at = models.DateTimeField(null=True, blank=True)  # when people were mailed that it broke

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_connection"
            ),
            models.UniqueConstraint(
                fields=["region", "account_id", "clio_user_id"],
                condition=~Q(status="disconnected"),
                name="one_live_connection_a_clio_user",
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | ~Q(status="disconnected"), name="default_is_not_disconnected"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_name} ({self.get_region_display()})"


class OAuthState(models.Model):
    """One pending consent. The state value itself is kept only as a digest; it is used once."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    session_digest = models.CharField(max_length=64)
    region = models.CharField(max_length=10, choices=Region.choices)
    reconnect = models.ForeignKey(Connection, on_delete=models.CASCADE, null=True, related_name="+")
    is_personal = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.region} {self.created_at:%Y-%m-%d %H:%M}"


class RateState(models.Model):
    """The budget of one Clio token, shared by every process (`clio_sync.limits`). Database time."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="rate")
    limit = models.PositiveIntegerField(default=50)  # requests in 60 s, learned from X-RateLimit-Limit
    learned_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(default=timezone.now)  # GCRA's theoretical arrival time
    sweep_at = models.DateTimeField(null=True)  # housekeeping's next turn
    retry_at = models.DateTimeField(null=True)  # the next turn for repeating what went wrong
    spent = models.JSONField(default=list)  # own turns: pairs of second and number, of two windows
    foreign = models.PositiveIntegerField(default=0)  # calls a window that others make with this token
    foreign_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True)  # until then one turn in `held_pace` seconds
    held_pace = models.FloatField(default=0.0)
    slowed_at = models.DateTimeField(null=True)  # the last 429, and the share of the pace it left
    slowed_to = models.FloatField(default=1.0)
    blocked_until = models.DateTimeField(null=True)  # by a 429
    empty_until = models.DateTimeField(null=True)  # nothing is left in Clio's window before then
    failures = models.PositiveIntegerField(default=0)  # in a row
    open_until = models.DateTimeField(null=True)  # Clio is down: nobody calls before then

    def __str__(self) -> str:
        return f"{self.limit}/min"


class NewFolder(models.Model):
    """A folder that an approved destination needs and Clio may not have.

    One row for one name in one place, so that of any number of workers one makes it
    (`clio_sync.filing.placing`).
    """

    region = models.CharField(max_length=10, choices=Region.choices)
    account_id = models.BigIntegerField()
    parent_type = models.CharField(max_length=10)  # Clio's word: Matter or Folder
    parent_id = models.BigIntegerField()
    name = models.CharField(max_length=100)
    same_name = models.CharField(max_length=400)  # folders.same: `Smith` and `SMITH` are one folder
    folder_id = models.BigIntegerField(null=True)  # Clio's, once it is known
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    intent_at = models.DateTimeField(null=True)  # a request to make it may be under way since then

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["region", "account_id", "parent_type", "parent_id", "same_name"],
                name="one_folder_a_name_and_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parent_type} {self.parent_id} / {self.pk}"


class Approval(models.Model):
    """The immutable snapshot that a reviewer approved: these bytes, to this place, by these people.

    The database refuses changes, refuses a row without an approving decision of the same version and SHA-256
    (a trigger that the `reviews` migrations install), and no Delivery exists without one of these.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft_ref = models.UUIDField()
    version_ref = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    destination = models.JSONField()  # destinations.Destination
    approvers = models.JSONField()  # user ids and decision ids
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    undo_until = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.sha256[:12]} {self.created_at:%Y-%m-%d %H:%M}"


def new_op_id() -> str:
    """The name of one delivery at Clio, in `external_properties`: how a lost reservation is found again."""
    return "cs1-" + secrets.token_hex(13)


class FiledElsewhere(models.Model):
    """A document found in Clio that this database does not remember filing, because it was restored from an
    older backup. Its version is not approved a second time. Rows are only added.
    """

    version_ref = models.UUIDField(db_index=True)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    op_id = models.CharField(
        max_length=40, blank=True
    )  # empty for a new version, which bears no name of ours
    clio_document_id = models.BigIntegerField()
    clio_version_uuid = models.CharField(max_length=60)
    size = models.PositiveBigIntegerField()
    found_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "filed elsewhere"
        constraints = [
            models.UniqueConstraint(
                fields=["clio_document_id", "clio_version_uuid", "version_ref"], name="found_elsewhere_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_ref} {self.clio_document_id}"


# As the partial indexes say them, word for word: SQLite looks no further.
MOVES = ~Q(hold="person") & ~Q(hold="connection")
STANDS_STILL = Q(hold="person") | Q(hold="connection")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def running(self) -> DeliveryQuerySet:
        """Neither filed nor withdrawn. The partial indexes hold these alone, so history costs nothing."""
        return self.filter(done_at=None)

    def due(self, now: datetime) -> DeliveryQuerySet:
        """Deliveries that a worker may claim now."""
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        return self.running().filter(MOVES, free, not_before__lte=now)

    def stuck(self) -> DeliveryQuerySet:
        """Deliveries that stand still until a person has done something."""
        return self.running().filter(STANDS_STILL)

    def in_line(self) -> DeliveryQuerySet:
        """Everything that moves by itself, due or not: what is begun first, then by the time of the yes."""
        return self.running().filter(MOVES).order_by(*Delivery.LINE)


class Delivery(models.Model):
    """The job that carries one approved version to Clio: reserve, transfer, confirm.

    `state` is how far it came, and where it resumes. `hold` is why it is not moving now. Every write of a
    worker is filtered on its `fence`, so one that lost its lease does no harm (docs/architecture.md).
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting to file"
        RESERVING = "reserving", "Reserving"  # intent recorded; the answer is not
        RESERVED = "reserved", "Reserved"
        TRANSFERRED = "transferred", "Transferred"
        CONFIRMING = "confirming", "Confirming"  # intent recorded; the answer is not
        ABANDONING = "abandoning", "Abandoning"
        FILED = "filed", "Filed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Hold(models.TextChoices):
        NONE = "", "Moving"
        RETRY = "retry", "Trying again"
        LIMIT = "limit", "Waiting for Clio's limit"
        CONNECTION = "connection", "Waiting for the connection"
        PERSON = "person", "Needs you"

    RUNNING = (
        State.QUEUED,
        State.RESERVING,
        State.RESERVED,
        State.TRANSFERRED,
        State.CONFIRMING,
        State.ABANDONING,
    )
    FINAL = (State.FILED, State.WITHDRAWN)
    MOVING = (Hold.NONE, Hold.RETRY, Hold.LIMIT)
    LINE = (
        models.Case(models.When(state=State.QUEUED, then=1), default=0, output_field=models.IntegerField()),
        models.F("created_at"),
        models.F("id"),
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="delivery")
    version_ref = models.UUIDField()
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="deliveries")
    op_id = models.CharField(max_length=40, unique=True, default=new_op_id)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    hold = models.CharField(max_length=12, choices=Hold.choices, default=Hold.NONE, blank=True)
    not_before = models.DateTimeField(default=timezone.now)
    fence = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=60, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    intent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    unended_claims = models.PositiveSmallIntegerField(
        null=True
    )  # nobody wrote down how they ended (`claims`)
    clio_document_id = models.BigIntegerField(null=True, blank=True)
    clio_version_uuid = models.CharField(max_length=60, blank=True)
    clio_version_number = models.PositiveIntegerField(null=True, blank=True)
    put_url_sealed = models.BinaryField(default=bytes)
    put_headers = models.JSONField(default=list)
    put_deadline = models.DateTimeField(null=True, blank=True)
    bytes_sent = models.PositiveBigIntegerField(null=True, blank=True)  # told of a transfer that takes long
    storage_etag = models.CharField(max_length=80, blank=True)
    sha256_sent = models.CharField(max_length=64, blank=True)
    size_confirmed = models.PositiveBigIntegerField(null=True, blank=True)
    withdrawing = models.BooleanField(
        default=False
    )  # a person called it back; stays true when it was too late
    problem = models.CharField(max_length=40, blank=True)  # retry.Problem; its sentence is in retry.py
    problem_status = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    first_call_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["version_ref"], condition=~Q(state="withdrawn"), name="one_live_delivery_a_version"
            ),
            models.CheckConstraint(
                condition=~Q(state="filed") | Q(clio_document_id__isnull=False, done_at__isnull=False),
                name="filed_has_a_clio_document",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "not_before"],
                name="delivery_due",
                condition=Q(done_at=None) & MOVES,
            ),
            models.Index(fields=["hold", "connection"], name="delivery_hold", condition=Q(done_at=None)),
            models.Index(
                fields=["created_at", "id", "connection", "hold", "problem"],
                name="delivery_stuck",
                condition=Q(done_at=None) & STANDS_STILL,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.op_id} {self.state}"


class DeliveryPart(models.Model):
    """One part of a large file on its way: hashed before Clio hears of it, forgotten once all are there.

    `clio_version_uuid` is the version at Clio that it was announced for: what another attempt announced or
    sent does not count. Rows change only together with the delivery's own, under its fence.
    """

    delivery = models.ForeignKey(
        Delivery,
        on_delete=models.CASCADE,
        related_name="parts",
        db_index=False,  # the constraint below is an index that begins with it
    )
    number = models.PositiveSmallIntegerField()
    offset = models.PositiveBigIntegerField()
    length = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    md5 = models.CharField(max_length=24)  # base64, as storage wants it
    clio_version_uuid = models.CharField(max_length=60, blank=True)
    put_url_sealed = models.BinaryField(default=bytes)
    put_headers = models.JSONField(default=list)
    put_deadline = models.DateTimeField(null=True, blank=True)
    etag = models.CharField(max_length=80, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="one_part_of_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.length} bytes at {self.offset}"


class KeyCanary(models.Model):
    """A known text, sealed under one key of TOKEN_KEYS: opening it proves the key (`clio_sync.canary`)."""

    key_id = models.CharField(max_length=255, primary_key=True)
    sealed = models.BinaryField()
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "key canaries"

    def __str__(self) -> str:
        return self.key_id
