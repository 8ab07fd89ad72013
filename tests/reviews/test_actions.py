from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import DatabaseError

from clio_sync import deliveries
from clio_sync.models import Approval, Connection, Delivery
from portal import blobs
from portal.accounts.models import Role, RoleGrant, User
from portal.audit.events import Event
from portal.audit.log import Actor
from portal.audit.models import Entry
from reviews import actions, attestation
from reviews.actions import Content
from reviews.errors import BadSubmission, BytesChanged, NotAllowed, NotNewest, TooLate, WrongState
from reviews.models import Decision, Draft, Status, Version
from tests import factories
from tests.cast import Cast, person
from tests.reviews.conftest import seen

pytestmark = pytest.mark.django_db

BOTH = {statement.code for statement in attestation.STATEMENTS}


def approve(draft: Draft, *, by: User) -> Draft:
    return actions.approve(draft.pk, seen(draft), agreed=BOTH, by=by, actor=Actor.user(by))


def content(text: bytes = b"Second thoughts.\n", name: str = "Settlement offer.txt") -> Content:
    blob = blobs.store([text], limit=1000)
    return Content(
        sha256=blob.sha256,
        size=blob.size,
        media_type="text/plain",
        file_name=name,
        page_count=None,
        findings=[],
        provenance={},
    )


def events(draft: Draft) -> list[str]:
    return list(Entry.objects.filter(corr=str(draft.pk)).order_by("seq").values_list("event", flat=True))


def test_approving_leaves_decision_snapshot_delivery_and_entries_together(cast: Cast, waiting: Draft) -> None:
    draft = approve(waiting, by=cast.alice)
    decision = Decision.objects.get()
    delivery = Delivery.objects.select_related("approval").get()
    assert (draft.status, draft.delivery, draft.reviewer) == (Status.APPROVED, delivery, cast.alice)
    assert decision.sha256 == delivery.approval.sha256 == seen(waiting).sha256
    assert delivery.approval.destination == waiting.destination
    assert delivery.approval.approvers == [{"user": cast.alice.pk, "decision": str(decision.pk)}]
    assert events(draft) == [Event.DELIVERY_ENQUEUED, Event.DRAFT_APPROVED]


def test_the_attestation_keeps_observed_attested_and_derived_apart(cast: Cast, waiting: Draft) -> None:
    approve(waiting, by=cast.alice)
    record = Decision.objects.get().attestation
    assert set(record) == {"schema", "observed", "attested", "derived"}
    assert record["observed"]["content_sha256"] == seen(waiting).sha256
    assert record["observed"]["reviewer"]["name"] == "Alice"
    assert set(record["attested"]["agreed"]) == BOTH
    assert record["derived"] == {"versions": 1, "changed_since_first_draft": False}


def test_both_statements_are_needed(cast: Cast, waiting: Draft) -> None:
    for agreed in (set(), {"human_verification"}):
        with pytest.raises(BadSubmission, match="both statements"):
            actions.approve(
                waiting.pk, seen(waiting), agreed=agreed, by=cast.alice, actor=Actor.user(cast.alice)
            )
    assert not Decision.objects.exists()


def test_nobody_approves_what_they_submitted_or_made(cast: Cast, link: Connection) -> None:
    frank = person("frank", Role.REVIEWER, Role.SUBMITTER)
    own = factories.draft(submitter=frank, place=factories.destination(link), status="waiting")
    edited = factories.draft(
        submitter=cast.carol, made_by=frank, place=factories.destination(link), status="waiting"
    )
    for draft in (own, edited):
        with pytest.raises(NotAllowed, match="own work"):
            approve(draft, by=frank)
        assert approve(draft, by=cast.alice).status == Status.APPROVED


def test_only_reviewers_approve(cast: Cast, waiting: Draft) -> None:
    for user in (cast.carol, cast.dana, cast.erin, cast.mallory):
        with pytest.raises(NotAllowed):
            approve(waiting, by=user)
    assert not Delivery.objects.exists()


def test_a_newer_version_voids_what_was_seen(cast: Cast, waiting: Draft) -> None:
    before = seen(waiting)
    actions.add_version(waiting.pk, content(), by=cast.carol, actor=Actor.user(cast.carol))
    with pytest.raises(NotNewest, match="Version 2 arrived"):
        actions.approve(waiting.pk, before, agreed=BOTH, by=cast.alice, actor=Actor.user(cast.alice))
    assert not Decision.objects.exists()


def test_an_approval_form_works_once_even_after_an_undo(cast: Cast, waiting: Draft) -> None:
    form = seen(waiting)
    approve(waiting, by=cast.alice)
    actions.undo(waiting.pk, by=cast.alice, actor=Actor.user(cast.alice))
    with pytest.raises(NotNewest):
        actions.approve(waiting.pk, form, agreed=BOTH, by=cast.alice, actor=Actor.user(cast.alice))
    assert Delivery.objects.exclude(state="withdrawn").count() == 0


def test_approving_twice_keeps_the_first_decision(cast: Cast, waiting: Draft) -> None:
    form = seen(waiting)
    approve(waiting, by=cast.alice)
    with pytest.raises(WrongState):
        actions.approve(waiting.pk, form, agreed=BOTH, by=cast.alice, actor=Actor.user(cast.alice))
    assert Decision.objects.count() == Delivery.objects.count() == 1


def test_damaged_bytes_are_not_approved(cast: Cast, waiting: Draft) -> None:
    path = blobs.path_of(seen(waiting).sha256)
    original = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(b"something else")
    try:
        with pytest.raises(BytesChanged):
            approve(waiting, by=cast.alice)
    finally:
        path.write_bytes(original)
    assert not Decision.objects.exists()


def test_a_claimed_draft_is_decided_by_who_claimed_it_until_taken_over(cast: Cast, waiting: Draft) -> None:
    actions.claim(waiting.pk, by=cast.alice, actor=Actor.user(cast.alice))
    with pytest.raises(NotAllowed, match="Alice is reviewing"):
        approve(waiting, by=cast.bob)
    actions.claim(waiting.pk, by=cast.bob, actor=Actor.user(cast.bob))
    assert approve(waiting, by=cast.bob).reviewer == cast.bob
    taken = Entry.objects.filter(event=Event.DRAFT_CLAIMED).order_by("seq").last()
    assert taken is not None
    assert str(cast.alice.pk).encode() in bytes(taken.body)


def test_undo_leaves_nothing_to_file_and_the_draft_in_review(cast: Cast, waiting: Draft) -> None:
    approve(waiting, by=cast.alice)
    with pytest.raises(NotAllowed):
        actions.undo(waiting.pk, by=cast.bob, actor=Actor.user(cast.bob))
    draft = actions.undo(waiting.pk, by=cast.alice, actor=Actor.user(cast.alice))
    assert (draft.status, draft.delivery) == (Status.IN_REVIEW, None)
    assert Delivery.objects.get().state == Delivery.State.WITHDRAWN
    assert approve(waiting, by=cast.alice).status == Status.APPROVED


def test_undo_is_too_late_after_the_first_call(cast: Cast, waiting: Draft) -> None:
    delivery = approve(waiting, by=cast.alice).delivery
    assert delivery is not None
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.RESERVING)
    with pytest.raises(TooLate, match="begun to file"):
        actions.undo(waiting.pk, by=cast.alice, actor=Actor.user(cast.alice))
    waiting.refresh_from_db()
    assert waiting.status == Status.APPROVED


def test_returning_needs_a_reason_and_comes_back_to_the_same_reviewer(cast: Cast, waiting: Draft) -> None:
    for code, text in (("", "wrong"), ("facts", "  "), ("mood", "wrong")):
        with pytest.raises(BadSubmission, match="reason"):
            actions.return_for_changes(
                waiting.pk,
                seen(waiting),
                reason_code=code,
                reason=text,
                by=cast.alice,
                actor=Actor.user(cast.alice),
            )
    returned = actions.return_for_changes(
        waiting.pk,
        seen(waiting),
        reason_code="facts",
        reason="The date is wrong.",
        by=cast.alice,
        actor=Actor.user(cast.alice),
    )
    assert returned.status == Status.RETURNED
    actions.add_version(waiting.pk, content(), by=cast.carol, actor=Actor.user(cast.carol))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reviewer) == (Status.IN_REVIEW, cast.alice)


def test_the_reason_stands_in_the_log_only_as_a_commitment(cast: Cast, waiting: Draft) -> None:
    actions.reject(
        waiting.pk,
        seen(waiting),
        reason_code="facts",
        reason="CANARY-7731 sues",
        by=cast.alice,
        actor=Actor.user(cast.alice),
    )
    assert not any(b"CANARY-7731" in bytes(entry.body) for entry in Entry.objects.all())
    assert Decision.objects.get().reason == "CANARY-7731 sues"


def test_the_same_file_again_is_no_new_version(cast: Cast, waiting: Draft) -> None:
    actions.add_version(waiting.pk, content(), by=cast.carol, actor=Actor.user(cast.carol))
    with pytest.raises(BadSubmission, match="same file"):
        actions.add_version(waiting.pk, content(), by=cast.carol, actor=Actor.user(cast.carol))
    assert waiting.versions.count() == 2


def test_an_approved_or_rejected_draft_takes_no_new_version(cast: Cast, waiting: Draft) -> None:
    approve(waiting, by=cast.alice)
    with pytest.raises(WrongState):
        actions.add_version(waiting.pk, content(), by=cast.carol, actor=Actor.user(cast.carol))


def test_withdrawing_is_for_the_submitter_alone(cast: Cast, waiting: Draft) -> None:
    with pytest.raises(NotAllowed):
        actions.withdraw(waiting.pk, by=cast.alice, actor=Actor.user(cast.alice))
    assert (
        actions.withdraw(waiting.pk, by=cast.carol, actor=Actor.user(cast.carol)).status == Status.WITHDRAWN
    )


def test_a_renamed_version_changes_the_file_name_that_will_be_filed(cast: Cast, waiting: Draft) -> None:
    actions.add_version(waiting.pk, content(name="Offer v2.txt"), by=cast.carol, actor=Actor.user(cast.carol))
    waiting.refresh_from_db()
    assert actions.destination_of(waiting).file_name == "Offer v2.txt"


# What the database refuses, whatever the code does


def test_no_approval_without_a_rightful_decision(cast: Cast, waiting: Draft, link: Connection) -> None:
    version = waiting.latest_version
    assert version is not None
    wish = {
        "draft_ref": waiting.pk,
        "version_ref": version.pk,
        "sha256": version.sha256,
        "size": version.size,
        "media_type": version.media_type,
        "connection": link,
        "destination": waiting.destination,
        "approvers": [],
        "approved_by": cast.alice,
        "undo_until": waiting.submitted_at,
    }
    with pytest.raises(DatabaseError), transaction.atomic():
        Approval.objects.create(**wish)
    factories.decision(version, by=cast.alice)
    for lie in (
        {"sha256": "0" * 64},
        {"size": 1},
        {"version_ref": uuid.uuid4()},
        {"draft_ref": uuid.uuid4()},
        {"approved_by": cast.bob},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            Approval.objects.create(**(wish | lie))
    RoleGrant.objects.filter(user=cast.alice).delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        Approval.objects.create(**wish)
    RoleGrant.objects.create(user=cast.alice, role=Role.REVIEWER)
    assert Approval.objects.create(**wish).pk


def test_the_submitters_own_decision_approves_nothing(cast: Cast, waiting: Draft) -> None:
    RoleGrant.objects.create(user=cast.carol, role=Role.REVIEWER)
    with pytest.raises(DatabaseError), transaction.atomic():
        factories.approved(waiting, by=cast.carol)


def test_versions_decisions_and_approvals_cannot_be_changed_or_deleted(cast: Cast, waiting: Draft) -> None:
    approve(waiting, by=cast.alice)
    for model, change in (
        (Version, {"sha256": "0" * 64}),
        (Decision, {"verdict": "reject"}),
        (Approval, {"size": 1}),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            model._default_manager.update(**change)
        with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
            model._default_manager.all()._raw_delete("default")


def test_a_delivery_cannot_differ_from_its_approval(cast: Cast, waiting: Draft) -> None:
    approve(waiting, by=cast.alice)
    for lie in ({"version_ref": uuid.uuid4()}, {"sha256_sent": "0" * 64}, {"size_confirmed": 1}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Delivery.objects.update(**lie)


def test_a_role_taken_away_since_the_page_began_counts_at_once(cast: Cast, waiting: Draft) -> None:
    """The person a request began with remembers the roles it had then."""
    shown = seen(waiting)
    assert cast.alice.roles and cast.carol.roles
    RoleGrant.objects.all().delete()
    alice, carol = Actor.user(cast.alice), Actor.user(cast.carol)
    with pytest.raises(NotAllowed):
        actions.claim(waiting.pk, by=cast.alice, actor=alice)
    with pytest.raises(NotAllowed):
        actions.approve(waiting.pk, shown, agreed=BOTH, by=cast.alice, actor=alice)
    with pytest.raises(NotAllowed):
        actions.reject(waiting.pk, shown, reason_code="other", reason="No.", by=cast.alice, actor=alice)
    with pytest.raises(NotAllowed):
        actions.withdraw(waiting.pk, by=cast.carol, actor=carol)


def test_a_role_that_is_lost_in_the_last_moment_is_a_refusal_and_not_an_error(
    cast: Cast, waiting: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's own gate asks once more, and by then somebody has taken the role away."""
    ask = actions._decidable
    asked: list[Version] = []

    def lose_the_role_after_the_first_time(*words: Any) -> Version:
        if asked:  # what another connection did stays; what this one did was undone with the rest
            RoleGrant.objects.filter(user=cast.alice).delete()
        asked.append(ask(*words))
        RoleGrant.objects.filter(user=cast.alice).delete()
        return asked[-1]

    monkeypatch.setattr(actions, "_decidable", lose_the_role_after_the_first_time)
    with pytest.raises(NotAllowed, match="needs the reviewer role"):
        approve(waiting, by=cast.alice)
    assert len(asked) == 1
    assert not Delivery.objects.exists()


def test_what_the_database_refuses_for_another_reason_is_not_called_a_refusal(
    cast: Cast, waiting: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**told: Any) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(deliveries, "enqueue", full)
    with pytest.raises(DatabaseError, match="disk full"):
        approve(waiting, by=cast.alice)
