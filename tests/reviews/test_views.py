from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from clio_sync.models import Delivery
from clio_sync.problems import Problem
from portal.accounts.models import Role, User
from portal.audit.events import Event
from portal.audit.log import Actor
from portal.audit.models import Entry
from reviews import actions, attestation
from reviews.formats import MediaType
from reviews.models import Decision, Draft, Opening, Status
from tests import factories
from tests.cast import PASSWORD, Cast, person
from tests.reviews.conftest import seen

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
BOTH = [statement.code for statement in attestation.STATEMENTS]


def form(draft: Draft, **fields: Any) -> dict[str, Any]:
    """What the page's form would post now."""
    shown = seen(draft)
    return {
        "version_id": str(shown.version_id),
        "sha256": shown.sha256,
        "revision": shown.revision,
        "agreed": BOTH,
        **fields,
    }


def page(draft: Draft, act: str = "") -> str:
    return f"/drafts/{draft.pk}/{act + '/' if act else ''}"


def test_a_reviewer_reads_what_will_happen_before_deciding(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    shown = sign_in(cast.alice).get(page(waiting)).content.decode()
    assert "File “Settlement offer.txt” in 2026-0042 Okafor v. Brandt" in shown
    assert seen(waiting).sha256 in shown
    for statement in attestation.STATEMENTS:
        assert statement.text in shown
    assert "sandbox></iframe>" in shown


def test_an_older_version_does_not_claim_that_it_would_be_filed(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    factories.version(waiting, content=b"Quite other terms.\n", made_by=cast.carol)
    shown = sign_in(cast.alice).get(f"{page(waiting)}?version=1").content.decode()
    assert "version 2, 19\xa0bytes, byte for byte" in shown
    assert "version 1, " not in shown
    assert "<title>Version 1 of" in shown


def test_opening_is_on_record_once_a_version_and_reviewer(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)
    client.get(page(waiting))
    client.get(page(waiting))
    assert Opening.objects.count() == 1
    assert Entry.objects.filter(event=Event.DRAFT_OPENED).count() == 1


def test_approving_by_form_files_the_draft_and_says_so(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    answer = sign_in(cast.alice).post(page(waiting, "approve"), form(waiting), follow=True)
    assert answer.status_code == 200
    assert "your approval is on record" in answer.content.decode()
    assert "Undo approval" in answer.content.decode()
    waiting.refresh_from_db()
    assert waiting.status == Status.APPROVED


def test_an_old_sign_in_has_to_be_confirmed_and_decides_nothing(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)
    with time_machine.travel(time.time() + 3600, tick=True):
        answer = client.post(page(waiting, "approve"), form(waiting))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/reauthenticate/")
    assert page(waiting).strip("/") in answer.headers["Location"].replace("%2F", "/")
    assert not Decision.objects.exists()


def test_a_statement_left_out_opens_the_dialog_again_with_the_reason(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    answer = sign_in(cast.alice).post(page(waiting, "approve"), form(waiting, agreed=BOTH[:1]))
    assert answer.status_code == 422
    assert "Tick both statements" in answer.content.decode()
    assert "data-open-at-once" in answer.content.decode()
    assert not Decision.objects.exists()


def test_an_overtaken_approval_answers_409_and_shows_the_way_to_the_difference(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)
    old = form(waiting)
    factories.version(waiting, content=b"The parties agree to other terms below.\n", made_by=cast.carol)
    answer = client.post(page(waiting, "approve"), old)
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "Version 2 arrived" in shown
    assert f"/drafts/{waiting.pk}/compare/1/2/" in shown
    difference = client.get(f"/drafts/{waiting.pk}/compare/1/2/").content.decode()
    assert "<ins>" in difference
    assert "<del>the</del>" in difference or "<del>the terms" in difference
    denied = Entry.objects.get(event=Event.DECISION_DENIED)
    assert denied.outcome == "denied"


def test_returning_and_rejecting_need_a_reason(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    for act in ("return", "reject"):
        answer = client.post(page(waiting, act), form(waiting, reason_code="", reason="", dialog=act))
        assert answer.status_code == 422
    answer = client.post(
        page(waiting, "return"), form(waiting, reason_code="tone", reason="Too sharp."), follow=True
    )
    assert "Too sharp." in answer.content.decode()
    assert Decision.objects.get().verdict == "return"


def test_a_draft_that_ended_does_not_say_what_will_happen(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    said = {"reason_code": "confidential", "reason": "Names the mediator."}
    sign_in(cast.alice).post(page(waiting, "reject"), form(waiting, **said))
    shown = sign_in(cast.carol).get(page(waiting)).content.decode()
    assert "rejected version 1" in shown
    assert "What will happen" not in shown
    assert shown.count("Names the mediator.") == 1


def test_a_returned_draft_shows_its_submitter_why_and_how_to_answer(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    said = {"reason_code": "facts", "reason": "The hearing is on the 3rd."}
    sign_in(cast.alice).post(page(waiting, "return"), form(waiting, **said))
    shown = sign_in(cast.carol).get(page(waiting)).content.decode()
    assert f"{cast.alice} returned version 1: facts are wrong or unsupported." in shown
    assert shown.count("The hearing is on the 3rd.") == 1
    assert "Answer with a new version…" in shown


def test_a_submitter_is_not_told_that_a_filing_needs_them(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    delivery = factories.approved(waiting, by=cast.alice)
    Delivery.objects.filter(pk=delivery.pk).update(hold=Delivery.Hold.PERSON, problem=Problem.FORBIDDEN)
    for path in (page(waiting), "/?tab=stuck"):
        assert "Needs you" in sign_in(cast.alice).get(path, follow=True).content.decode()
        shown = sign_in(cast.carol).get(path, follow=True).content.decode()
        assert "Held up" in shown
        assert "Needs you" not in shown


def test_undo_from_the_page(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    client.post(page(waiting, "approve"), form(waiting))
    answer = client.post(page(waiting, "undo"), follow=True)
    assert "Nothing was sent to Clio" in answer.content.decode()
    assert Delivery.objects.get().state == Delivery.State.WITHDRAWN


def test_the_live_part_stops_asking_when_nothing_moves_any_more(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)
    client.post(page(waiting, "approve"), form(waiting))
    moving = client.get(page(waiting, "filing"))
    assert (moving.status_code, b"hx-trigger" in moving.content) == (200, True)
    client.post(page(waiting, "undo"))
    assert client.get(page(waiting, "filing")).status_code == 286


def test_the_live_part_is_left_alone_while_it_shows_all_there_is(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)
    client.post(page(waiting, "approve"), form(waiting))
    asked = re.search(r'hx-get="([^"]+)"', client.get(page(waiting)).content.decode())
    assert asked is not None
    assert client.get(asked[1]).status_code == 204
    Delivery.objects.update(state=Delivery.State.RESERVED, clio_document_id=1)
    moved = client.get(asked[1])
    assert (moved.status_code, b"1/3 Reserved" in moved.content) == (200, True)


def test_while_a_large_file_is_sent_only_its_bar_moves(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    client.post(page(waiting, "approve"), form(waiting))
    under_way = Delivery.objects.filter(approval__draft_ref=waiting.pk)
    under_way.update(state="reserved", not_before=timezone.now(), bytes_sent=0)
    whole = client.get(page(waiting, "filing")).content.decode()
    asked = re.search(r'hx-get="([^"]+)"', whole)
    assert asked is not None
    assert '<progress aria-labelledby="sent-words" value="0"' in whole

    under_way.update(bytes_sent=7)
    answer = client.get(asked[1])
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#sent", "innerHTML")
    assert 'value="7"' in answer.content.decode()
    assert "hx-trigger" not in answer.content.decode()

    under_way.update(state="transferred")
    assert "HX-Retarget" not in client.get(asked[1]).headers


def test_nothing_is_told_as_done_that_clio_has_not_done(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    client.post(page(waiting, "approve"), form(waiting))
    shown = client.get(page(waiting)).content.decode()
    assert "Nothing has been sent to Clio yet." in shown
    Delivery.objects.update(hold=Delivery.Hold.PERSON, problem=Problem.FORBIDDEN)
    shown = client.get(page(waiting)).content.decode()
    assert "1/3 Reserve<" in shown
    assert "Clio holds a place" not in shown


def test_whoever_can_mend_a_filing_is_whose_turn_it_is(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    client.post(page(waiting, "approve"), form(waiting))
    for problem, turn in ((Problem.FORBIDDEN, "An admin"), (Problem.PLACE_REFUSED, str(cast.alice))):
        Delivery.objects.update(hold=Delivery.Hold.PERSON, problem=problem)
        assert f'data-label="Whose turn">{turn}<' in client.get("/?tab=stuck", follow=True).content.decode()


def test_the_preview_runs_nothing_and_loads_nothing(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    factories.version(
        waiting, content=b"<p>Hello</p><script>alert(1)</script>", made_by=cast.carol, media_type="text/html"
    )
    answer = sign_in(cast.alice).get(f"/drafts/{waiting.pk}/v2/preview/")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert b"<script" not in answer.content
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_the_download_is_the_exact_bytes_as_an_attachment_and_on_record(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    answer = sign_in(cast.alice).get(f"/drafts/{waiting.pk}/v1/download/")
    assert b"".join(answer.streaming_content) == factories.CONTENT  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert Entry.objects.filter(event=Event.DOWNLOAD_VERSION).count() == 1


def test_a_new_version_by_form_is_checked_and_makes_the_reviewer_unable_to_approve(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)
    bad = {"file": SimpleUploadedFile("Settlement offer.txt", b""), "revision": waiting.revision}
    refused = client.post(page(waiting, "versions"), bad)
    assert refused.status_code == 422
    assert waiting.versions.count() == 1
    good = {"file": SimpleUploadedFile("Settlement offer.txt", b"Mended.\n"), "revision": waiting.revision}
    answer = client.post(page(waiting, "versions"), good, follow=True)
    assert "Version 2 is in" in answer.content.decode()
    assert "Somebody else decides" in answer.content.decode()
    assert client.post(page(waiting, "approve"), form(waiting)).status_code == 403


def test_a_version_for_an_older_state_of_the_draft_is_refused(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.carol)
    old = waiting.revision
    actions.claim(waiting.pk, by=cast.alice, actor=Actor.user(cast.alice))
    stale = {"file": SimpleUploadedFile("Settlement offer.txt", b"Mended.\n"), "revision": old}
    assert client.post(page(waiting, "versions"), stale).status_code == 409
    assert waiting.versions.count() == 1


# Strangers

GETS = ["", "filing", "receipt", "v1/preview", "v1/download", "compare/1/1"]
POSTS = [
    "approve", "return", "reject", "undo", "claim", "release", "withdraw", "retry", "cancel", "take-back",
    "choose", "versions",
]  # fmt: skip


@pytest.mark.parametrize("who", ["mallory", "dana", "erin"])
def test_who_may_not_see_a_draft_meets_404_everywhere(
    cast: Cast, waiting: Draft, sign_in: SignIn, who: str
) -> None:
    client = sign_in(getattr(cast, who))
    for path in GETS:
        assert client.get(page(waiting, path)).status_code == 404, path
    assert client.get(f"/drafts/{waiting.pk}/v1/page/1.png").status_code == 404
    for path in POSTS:
        assert client.post(page(waiting, path), form(waiting)).status_code == 404, path
    assert not Decision.objects.exists()


def test_another_submitter_does_not_see_it_either(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    client = sign_in(person("gail", Role.SUBMITTER))
    assert client.get(page(waiting)).status_code == 404
    assert waiting.title not in client.get("/").content.decode()


def test_without_signing_in_there_is_only_the_sign_in_page(
    cast: Cast, waiting: Draft, client: Client
) -> None:
    for path in GETS:
        answer = client.get(page(waiting, path))
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/account/login/")
    for path in POSTS:
        assert client.post(page(waiting, path), form(waiting)).status_code == 302
    assert not Decision.objects.exists()


def test_a_submitter_sees_their_draft_but_decides_nothing(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.carol)
    shown = client.get(page(waiting)).content.decode()
    assert "Approve…" not in shown
    assert client.post(page(waiting, "approve"), form(waiting)).status_code == 403
    assert client.post(page(waiting, "claim")).status_code == 403
    assert not Decision.objects.exists()


def test_decisions_need_the_csrf_token(cast: Cast, waiting: Draft) -> None:
    client = Client(enforce_csrf_checks=True)
    token = client.get("/account/login/").cookies["csrf"].value
    client.post(
        "/account/login/",
        {"login": cast.alice.email, "password": PASSWORD, "csrfmiddlewaretoken": token},
    )
    assert client.post(page(waiting, "approve"), form(waiting)).status_code == 403
    assert not Decision.objects.exists()


def test_a_file_that_cannot_be_shown_says_so_and_can_still_be_downloaded(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    broken = factories.version(
        waiting, content=b"PK\x03\x04 not really", made_by=cast.carol, media_type=MediaType.DOCX
    )
    client = sign_in(cast.alice)
    shown = client.get(f"/drafts/{waiting.pk}/v{broken.number}/preview/")
    assert shown.status_code == 200
    assert "Download the file to read it." in shown.content.decode()
    assert client.get(f"/drafts/{waiting.pk}/compare/1/2/").status_code == 200
