"""Every page that a link leads to, for each role: what axe says by day and night, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import expect

from portal.demo import people
from portal.demo.browser import Browser as DemoBrowser
from tests.browser import sign_in
from tests.journeys import acts, population
from tests.journeys.clio import Clio
from tests.journeys.desk import Desk, Office
from tests.journeys.population import PASSWORD, STRANGER, Population
from tests.journeys.walk import Kind, Walk, name_of, query_of
from tests.stacks import Stack

EVERYBODY = {
    "accounts:me",
    "account_change_password",
    "account_reset_password",
    "account_reauthenticate",
    "account_logout",
}
OF_DRAFTS = {
    "reviews:queue",
    "reviews:stuck",
    "reviews:draft",
    "reviews:destination",
    "reviews:receipt",
    "reviews:compare",
}
OWN_CONNECTION = {"clio_sync:mine", "clio_sync:connect_mine"}
PAGES = {
    "visitor": {
        "account_login",
        "account_signup",
        "account_inactive",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
    },
    "alice": EVERYBODY | OF_DRAFTS | OWN_CONNECTION,
    "bob": EVERYBODY
    | OWN_CONNECTION
    | {"clio_sync:disconnect", "reviews:queue", "reviews:stuck", "reviews:draft", "reviews:destination"},
    "carol": EVERYBODY | OF_DRAFTS | {"reviews:submit"},
    "dana": EVERYBODY
    | {"clio_sync:connections", "clio_sync:connect", "clio_sync:disconnect", "design", "reviews:stuck"}
    | {"accounts:people", "accounts:add_person", "accounts:person", "accounts:keys", "accounts:add_key"}
    | {"reviews:naming"},
    "erin": EVERYBODY | {"audit:log", "audit:entry"},
}
"""What each person finds, by links from their first page and by what UNLINKED holds."""

SENT_ON = ["/account/reauthenticate/", "/account/logout/"]
UNLINKED = {
    "visitor": [
        "/account/signup/",
        "/account/inactive/",
        "/account/password/reset/done/",
        "/account/password/reset/key/done/",
    ],
    "dana": [*SENT_ON, "/design/", "/clio/connect/"],
    **dict.fromkeys(["alice", "bob", "carol", "erin"], SENT_ON),
}
"""Pages that no link leads to, where one is sent on to."""

STATES = {"bob": ["in review"], "carol": ["filed", "new version", "waiting txt"]}
"""The states of the drafts that somebody looks at, unless it is all of them."""

TOURS = {"embedded": ["alice", "erin", "visitor"], "production": ["bob", "carol", "dana"]}
"""Which pair of database and broker shows its pages to whom; a tour takes a while."""

PARTS = {
    "reviews:preview",
    "reviews:page",
    "reviews:filing",
    "reviews:matter_options",
    "reviews:places",
    "reviews:document_options",
    "reviews:filed_as",
    "reviews:namesakes",
    "reviews:download",
    "reviews:receipt_pdf",
}
"""Addresses that a page takes something from."""

ACTS = {
    *("audit:check", "audit:export"),
    *("accounts:change_details", "accounts:change_roles", "accounts:switch_off", "accounts:switch_on"),
    *("accounts:invite", "accounts:revoke_key"),
    *("clio_sync:test", "clio_sync:reconnect", "clio_sync:make_default"),
    *("reviews:approve", "reviews:return", "reviews:reject", "reviews:undo", "reviews:claim"),
    *("reviews:release", "reviews:withdraw", "reviews:retry", "reviews:cancel", "reviews:take_back"),
    *("reviews:choose", "reviews:try_again", "reviews:new_version"),
}
"""Addresses that only take a form."""

ELSEWHERE = {"healthz", "clio_sync:callback", "account_set_password"}
"""For machines; the way back from Clio; and a page that leads on whoever has a password."""


@pytest.fixture(scope="session")
def populated(stack: Stack, dana: DemoBrowser) -> Population:
    """Drafts in every state that stands still."""
    people.connect_sandbox(dana, stack.place)
    return population.populate(stack, Clio(stack), dana)


def test_every_address_of_the_site_is_on_the_tour() -> None:
    toured = set().union(*PAGES.values(), PARTS, ACTS, ELSEWHERE)
    assert {name for name in _names(get_resolver()) if not name.startswith("api:")} == toured


@pytest.mark.parametrize("turn", range(3))
def test_no_page_that_a_person_finds_has_a_fault(
    pair: str, office: Office, populated: Population, turn: int
) -> None:
    name = TOURS[pair][turn]
    desk = office.visitor() if name == "visitor" else office.desk(name)
    drafts = {populated.drafts[state] for state in STATES.get(name, populated.drafts)}
    walk = Walk(desk.page, partial(_kind_of, drafts=drafts))
    walk.go(["/", *UNLINKED[name], "/nothing/"])
    if name in AND_THEN:
        AND_THEN[name](desk, walk, populated)
    assert walk.faults == []
    assert walk.names - {""} == PAGES[name]


def test_what_pages_take_from_other_addresses_is_there(stack: Stack, populated: Population) -> None:
    draft, pdf = populated.drafts["filed"], populated.drafts["waiting pdf"]
    with people.at_browser(stack.place, "carol") as carol:
        matters = carol.open(f"{reverse('reviews:matter_options')}?matter_text=2026-0044")
        assert 'name="matter_id"' in matters.text
        assert carol.open(f"{reverse('reviews:places')}?matter_id=1").status == 200
        assert "Filed" in carol.open(reverse("reviews:filing", args=[draft])).text
        for address in (
            reverse("reviews:preview", args=[draft, 1]),
            reverse("reviews:download", args=[draft, 1]),
            reverse("reviews:page", args=[pdf, 1, 1]),
        ):
            assert carol.open(address).status == 200, address


def test_acts_are_not_done_by_following_a_link(stack: Stack, populated: Population) -> None:
    with people.at_browser(stack.place, "erin") as erin:
        answers = {name: erin.open(_some_address(name, populated)).status for name in ACTS}
    assert answers == dict.fromkeys(ACTS, 405)


def _kind_of(address: str, *, drafts: set[str]) -> Kind:
    name, query, parts = name_of(address), query_of(address), address.split("/")
    if name in PARTS | ACTS | ELSEWHERE or (name.startswith("reviews:") and _is_other(parts, drafts)):
        return ()
    if name in {"reviews:draft", "reviews:compare", "reviews:receipt"}:
        return (name, address)
    if name in {"audit:entry", "accounts:person", "clio_sync:disconnect"}:
        return (name,)
    return (name, *sorted(query), *query.get("tab", []), *query.get("show", []))


def _is_other(parts: list[str], drafts: set[str]) -> bool:
    """A draft of some other journey."""
    return "drafts" in parts and "new" not in parts and not drafts & set(parts)


def _choose_a_password(visitor: Desk, walk: Walk, populated: Population) -> None:
    """By the link they were sent; then they may sign in, and nothing else."""
    walk.go([populated.link])
    visitor.page.goto(populated.link)
    for field in visitor.page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    visitor.page.locator("main button[type=submit]").click()
    expect(visitor.page.locator("input[type=password]")).to_have_count(0)
    sign_in(visitor.page, STRANGER, password=PASSWORD)
    visitor.page.goto("/")
    expect(visitor.page.get_by_text("You have no role yet")).to_be_visible()
    walk.look("without a role")


def _approve_and_undo(alice: Desk, walk: Walk, populated: Population) -> None:
    alice.page.goto(reverse("reviews:draft", args=[populated.drafts["waiting txt"]]))
    acts.approve(alice)
    alice.page.get_by_role("button", name="Undo approval").click()
    expect(alice.page.get_by_text("Approval undone.")).to_be_visible()
    walk.look("after undoing")
    for state, version in (("new version", 1), ("new version", 2), ("waiting txt", 1)):
        _look_at_document(alice, walk, reverse("reviews:preview", args=[populated.drafts[state], version]))


def _look_at_document(alice: Desk, walk: Walk, address: str) -> None:
    """Where a document stands no script may run, and axe is one: it gets a copy."""
    copy = alice.page.request.get(address).text()
    alice.page.goto("about:blank")
    alice.page.set_content(copy)
    walk.look(address)


def _choose_a_matter(carol: Desk, walk: Walk, populated: Population) -> None:
    carol.page.goto(reverse("reviews:submit"))
    carol.page.get_by_role("textbox", name="Matter").fill("2026-00")
    found = carol.page.locator("#matter-options").get_by_role("radio")
    expect(found.nth(3)).to_be_attached()
    found.first.check()
    expect(carol.page.get_by_label("Folder")).to_be_visible()
    walk.look("with a matter chosen")
    carol.page.get_by_role("button", name="Submit for review").click()
    expect(carol.page.get_by_role("alert")).to_be_visible()
    walk.look("refused")


def _make_a_key_and_decline(dana: Desk, walk: Walk, populated: Population) -> None:
    dana.page.goto(reverse("accounts:add_key"))
    dana.page.get_by_label("Name").fill("A key of the tour")
    dana.page.get_by_label("Submits for").select_option(index=1)
    dana.page.locator("main button[type=submit]").click()
    expect(dana.page.locator(".secret")).to_be_visible()
    walk.look("with a new key")
    dana.page.goto(reverse("clio_sync:connect"))
    dana.page.get_by_label("Sandbox").check()
    dana.page.get_by_role("button", name="Go to Clio").click()
    expect(dana.page.get_by_role("button", name="Decline")).to_be_visible()
    walk.look("at Clio")
    dana.page.get_by_role("button", name="Decline").click()
    expect(dana.page.get_by_role("heading", name="You declined at Clio")).to_be_visible()
    walk.look("after declining")


def _check_the_log(erin: Desk, walk: Walk, populated: Population) -> None:
    erin.page.goto(reverse("audit:log"))
    erin.page.get_by_role("button", name="Check the log").click()
    expect(erin.page.get_by_text("VALID", exact=True)).to_be_visible()
    walk.look("checked")


AND_THEN: dict[str, Callable[[Desk, Walk, Population], None]] = {
    "alice": _approve_and_undo,
    "visitor": _choose_a_password,
    "carol": _choose_a_matter,
    "dana": _make_a_key_and_decline,
    "erin": _check_the_log,
}
"""Pages that a person reaches by pressing buttons."""


def _some_address(name: str, populated: Population) -> str:
    """An address of this name; of what does not matter."""
    some_id = populated.drafts["filed"]
    for arguments in ([], [some_id], [1]):
        try:
            return reverse(name, args=arguments)
        except NoReverseMatch:
            continue
    raise AssertionError(name)


def _names(resolver: URLResolver, space: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield f"{space}{one.name}"
        else:
            yield from _names(one, f"{space}{one.namespace}:" if one.namespace else space)
