"""Check the audit log: exit status 0 valid, 1 tampered with, 2 could not be checked."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.audit.verify import State, verify

EXIT_STATUS = {State.VALID: 0, State.INVALID: 1, State.UNCHECKED: 2}


class Command(BaseCommand):
    help = "Check the audit log from its first entry to its head. Exit 0: valid, 1: not, 2: unchecked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the verdict as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify()
        if options["json"]:
            self.stdout.write(json.dumps(verdict.as_json()))
        else:
            self.stdout.write(verdict.line)
            for note in verdict.notes:
                self.stdout.write(f"Note: {note}")
            self.stderr.write(verdict.limits)
        if status := EXIT_STATUS[verdict.state]:
            sys.exit(status)
