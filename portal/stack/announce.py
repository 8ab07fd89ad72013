"""What a person sees when everything runs: where to go, and whom to sign in as."""

from __future__ import annotations

import os

from portal.stack.place import Place
from portal.stack.ports import Ports

DRAFTS = "  The sandbox is being connected and demo drafts submitted; the next start finds them there."
PARTS = {
    "web": "the portal",
    "sandbox_api": "the sandbox",
    "sandbox_storage": "the sandbox's storage",
    "sandbox_control": "the sandbox's control",
}


def say(place: Place, *, usual: Ports) -> None:
    print(
        "\n".join(["", *_moved(place, usual), *_addresses(place), "", *_people(place), "", *_last(place)]),
        flush=True,
    )


def _moved(place: Place, usual: Ports) -> list[str]:
    return [
        f"  Port {wanted} is taken: {PARTS[name]} uses {chosen} instead."
        for name, (wanted, chosen) in place.ports.moved(usual).items()
    ]


def _addresses(place: Place) -> list[str]:
    return [
        f"  Countersign    {place.site}",
        f"  Clio sandbox   {place.sandbox}   (control: {place.sandbox_control})",
        f"  Data and logs  {place.data}",
    ]


def _people(place: Place) -> list[str]:
    people = place.people()
    password = people[0].password if people else ""
    rows = [f"    {person.email:<30} {person.name:<20} {', '.join(person.roles)}" for person in people]
    return [f"  Sign in with the password {password} as", *rows]


def _last(place: Place) -> list[str]:
    drafts = [] if place.has_demo_drafts or os.environ.get("EMPTY") else [DRAFTS]
    return [*drafts, "  Ctrl-C stops everything.", ""]
