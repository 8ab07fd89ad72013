"""Several people, programs and workers at one draft in the same moment.

As a program (`python -m tests.reviews.racing approvals`) it races on its environment's own database, which it
makes first: threads can share a SQLite file, but not the test run's own database in memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

Told = dict[str, Any]


def approvals() -> Told:
    """Eight windows of two reviewers, all open at the same draft, all press the same button."""
    from clio_sync.models import Approval, Delivery
    from reviews import actions
    from reviews.models import Decision

    cast, draft = _waiting()
    shown, both = _seen(draft), _statements()

    def approve(person: Any) -> str:
        actions.approve(draft.pk, shown, agreed=both, by=person, actor=_actor(person))
        return "approved"

    done = _at_once([partial(approve, person) for person in [cast.alice, cast.bob] * 4])
    return {
        "done": Counter(done),
        "decisions": Decision.objects.count(),
        "approvals": Approval.objects.count(),
        "deliveries": Delivery.objects.count(),
        "log": _verdict(),
    }


def approval_and_new_version() -> Told:
    """In each round one of the two comes first, and what is approved is the newest there is."""
    from clio_sync.models import Approval
    from reviews import actions
    from reviews.models import Draft

    cast, first = _waiting()
    ends: Counter[str] = Counter()
    for number in range(10):
        draft = first if number == 0 else _another(first)
        shown, newer = _seen(draft), _content(f"Second thoughts {number}.\n")

        def approve(draft: Any = draft, shown: Any = shown) -> str:
            actions.approve(draft.pk, shown, agreed=_statements(), by=cast.alice, actor=_actor(cast.alice))
            return "approved"

        def add(draft: Any = draft, newer: Any = newer) -> str:
            actions.add_version(draft.pk, newer, by=cast.carol, actor=_actor(cast.carol))
            return "added"

        ends[" ".join(_at_once([approve, add] if number % 2 else [add, approve]))] += 1
    drafts = Draft.objects.select_related("latest_version", "delivery__approval")
    return {
        "ends": ends,
        "approved_but_not_newest": sum(
            draft.delivery is not None and draft.delivery.approval.version_ref != draft.latest_version_id
            for draft in drafts
        ),
        "approvals": Approval.objects.count(),
        "log": _verdict(),
    }


def undo_and_claim() -> Told:
    """The reviewer takes an approval back in the moment in which a worker takes it up."""
    from clio_sync import claims
    from clio_sync.models import Delivery
    from reviews import actions
    from reviews.models import Draft
    from tests import factories

    cast, first = _waiting()
    ends: Counter[str] = Counter()
    for number in range(10):
        draft = first if number == 0 else _another(first)
        delivery = factories.approved(draft, by=cast.alice)

        def undo(draft: Any = draft) -> str:
            actions.undo(draft.pk, by=cast.alice, actor=_actor(cast.alice))
            return "undone"

        def claim(delivery: Any = delivery) -> str:
            return "claimed" if claims.claim(delivery.pk) else "nothing"

        ends[" ".join(sorted(_at_once([undo, claim] if number % 2 else [claim, undo])))] += 1
    return {
        "ends": ends,
        "in_review_with_a_live_delivery": Draft.objects.filter(
            status="in_review", delivery__isnull=False
        ).count(),
        "withdrawn_and_claimed": Delivery.objects.filter(
            state="withdrawn", lease_until__isnull=False
        ).count(),
        "log": _verdict(),
    }


def one_idempotency_key() -> Told:
    """A program loses its patience and sends the same submission eight times at once."""
    from django.conf import settings
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test import Client, override_settings

    from clio_sync.models import RateState
    from portal.accounts.models import ApiKey
    from reviews.models import Draft, Submission
    from tests import factories
    from tests.sandbox_process import running_sandbox

    cast, draft = _waiting()
    _, token = ApiKey.issue(name="impatient tool", owner=cast.carol, by=cast.dana)

    def submit() -> str:
        answer = Client().post(
            "/api/v1/drafts",
            {
                "matter_number": "2026-0042",
                "made_by_ai": "false",
                "file": SimpleUploadedFile("Offer.txt", b"Once.\n"),
            },
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "run-1"},
        )
        return f"{answer.status_code} {answer.json().get('id', answer.content)}"

    with tempfile.TemporaryDirectory() as folder, running_sandbox(Path(folder), rate_limit=100_000) as clio:
        urls = settings.CLIO_API_URLS | {"sandbox": clio.api_url}
        with override_settings(CLIO_API_URLS=urls, CLIO_SANDBOX_STORAGE_URL=clio.storage_url):
            factories.tokens_for(draft.connection, clio)
            RateState.objects.create(connection=draft.connection, limit=100_000)  # as the sandbox will say
            done = _at_once([submit] * 8)
    return {
        "statuses": Counter(one.split()[0] for one in done),
        "ids": len({one.split()[1] for one in done}),
        "drafts": Draft.objects.exclude(pk=draft.pk).count(),
        "submissions": Submission.objects.count(),
        "log": _verdict(),
    }


RACES: dict[str, Callable[[], Told]] = {
    race.__name__: race for race in (approvals, approval_and_new_version, undo_and_claim, one_idempotency_key)
}


def _waiting() -> tuple[Any, Any]:
    from tests import factories
    from tests.cast import Cast

    cast = Cast()
    assert cast.alice and cast.bob
    link = factories.connection(connected_by=cast.dana, is_default=True)
    draft = factories.draft(submitter=cast.carol, place=factories.destination(link), status="waiting")
    return cast, draft


def _another(first: Any) -> Any:
    from tests import factories

    return factories.draft(
        submitter=first.submitter, place=factories.destination(first.connection), status="waiting"
    )


def _seen(draft: Any) -> Any:
    from tests.reviews.conftest import seen

    return seen(draft)


def _content(text: str) -> Any:
    from tests.reviews.test_actions import content

    return content(text.encode())


def _statements() -> set[str]:
    from reviews.attestation import STATEMENTS

    return {statement.code for statement in STATEMENTS}


def _actor(person: Any) -> Any:
    from portal.audit.log import Actor

    return Actor.user(person)


def _verdict() -> str:
    from portal.audit.verify import verify

    return verify().line.split()[0]


def _at_once(acts: Sequence[Callable[[], str]]) -> list[str]:
    """What each came to, in their order: what it said, or the name of its refusal. Others are raised."""
    from django.db import connection

    from reviews.errors import ReviewError

    start = threading.Barrier(len(acts))

    def run(act: Callable[[], str]) -> str:
        start.wait()
        try:
            return act()
        except ReviewError as refused:
            return type(refused).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [job.result() for job in [pool.submit(run, act) for act in acts]]


def main(race: str) -> None:
    import django
    from django.core.management import call_command
    from django.test import override_settings

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        print(json.dumps(RACES[race]()))


if __name__ == "__main__":
    main(sys.argv[1])
