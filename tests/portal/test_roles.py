from __future__ import annotations

import pytest

from portal.accounts import roles
from portal.accounts.models import ApiKey, Role
from tests.cast import Cast, person

pytestmark = pytest.mark.django_db


def test_nobody_decides_on_what_they_submitted_or_last_edited(cast: Cast) -> None:
    reviewer_and_submitter = person("frank", Role.REVIEWER, Role.SUBMITTER)
    assert roles.may_decide(reviewer_and_submitter, submitter_id=0, last_editor_id=0)
    assert not roles.may_decide(
        reviewer_and_submitter, submitter_id=reviewer_and_submitter.pk, last_editor_id=0
    )
    assert not roles.may_decide(
        reviewer_and_submitter, submitter_id=0, last_editor_id=reviewer_and_submitter.pk
    )


def test_being_admin_or_compliance_opens_no_draft(cast: Cast) -> None:
    for user in (cast.dana, cast.erin, cast.mallory):
        assert not roles.may_see_drafts(user)
        assert not roles.may_see_draft(user, submitter_id=user.pk)
        assert not roles.may_decide(user, submitter_id=0, last_editor_id=0)


def test_an_inactive_person_may_nothing(cast: Cast) -> None:
    cast.alice.is_active = False
    assert not roles.may_review(cast.alice)
    assert not roles.may_decide(cast.alice, submitter_id=0, last_editor_id=0)


def test_a_key_is_found_by_its_token_only_while_it_and_its_owner_are_live(cast: Cast) -> None:
    key, token = ApiKey.issue(name="drafting tool", owner=cast.carol, by=cast.dana)
    assert token not in (key.secret_sha256, str(key.__dict__))
    assert ApiKey.from_token(token) == key
    assert ApiKey.from_token(token + "x") is None
    cast.carol.is_active = False
    cast.carol.save()
    assert ApiKey.from_token(token) is None
