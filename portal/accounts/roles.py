"""Who may do what. Every permission question of the site has its name here, and nowhere else.

The questions about a draft take plain ids, because the drafts stand on the accounts, not the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase

from portal.accounts.models import Role, User
from portal.http import PortalRequest

Question = Callable[[User], bool]
P = ParamSpec("P")


def may_review(user: User) -> bool:
    return user.is_active and Role.REVIEWER in user.roles


def may_submit(user: User) -> bool:
    return user.is_active and Role.SUBMITTER in user.roles


def may_administer(user: User) -> bool:
    return user.is_active and Role.ADMIN in user.roles


def may_read_audit(user: User) -> bool:
    return user.is_active and Role.COMPLIANCE in user.roles


def may_see_drafts(user: User) -> bool:
    """Reviewers see every draft, submitters their own. Being admin or compliance opens none."""
    return may_review(user) or may_submit(user)


def may_see_draft(user: User, *, submitter_id: int) -> bool:
    return may_review(user) or (may_submit(user) and user.pk == submitter_id)


def may_decide(user: User, *, submitter_id: int, last_editor_id: int) -> bool:
    """Nobody decides on their own work: not the submitter, not who made the newest version."""
    return may_review(user) and user.pk not in {submitter_id, last_editor_id}


def may_add_version(user: User, *, submitter_id: int) -> bool:
    """The submitter answers; a reviewer may mend it, and then somebody else must approve."""
    return may_review(user) or (may_submit(user) and user.pk == submitter_id)


def may_change_destination(user: User, *, submitter_id: int) -> bool:
    return may_add_version(user, submitter_id=submitter_id)


def may_withdraw(user: User, *, submitter_id: int) -> bool:
    return may_submit(user) and user.pk == submitter_id


def require(
    question: Question,
) -> Callable[
    [Callable[Concatenate[PortalRequest, P], HttpResponseBase]],
    Callable[Concatenate[PortalRequest, P], HttpResponseBase],
]:
    """Guard a view of a whole area: 403 unless `question(user)` is yes. Objects use their own doors (404)."""

    def decorate(
        view: Callable[Concatenate[PortalRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[PortalRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not question(request.user):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate
