"""Make a portal's data ready for its parts: tables, cache, static files, demo people.

Run as a program of its own (`python -m portal.stack.prepare`): the supervisor knows no Django.
"""

from __future__ import annotations

import importlib
import io
import json
import os
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    if not settings.CACHE_URL:
        call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("seed_demo_people", stdout=io.StringIO())
    _note_people(Path(settings.DATA_DIR) / "people.json")


def _note_people(path: Path) -> None:
    # Its models load only now that Django is set up.
    demo = importlib.import_module("portal.accounts.management.commands.seed_demo_people")

    people = [
        {
            "email": f"{name}@{demo.DOMAIN}",
            "name": full_name,
            "roles": [str(role) for role in roles],
            "password": demo.PASSWORD,
        }
        for name, full_name, _licence, roles in demo.PEOPLE
    ]
    path.write_text(json.dumps(people), encoding="utf-8")


if __name__ == "__main__":
    main()
