from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from clio_sync.reconciling import Wishes, reconcile
from clio_sync.reconciling.report import Report, Result, Verdict
from portal import gate
from reviews.reconciliation import DraftVersions

INCOMPLETE = 3

RESULTS = {
    Result.FILED: "already filed in Clio",
    Result.ADOPTED: "goes on with Clio's unfinished document",
    Result.GOES_ON: "goes on from where it stands",
    Result.NEEDS_PERSON: "needs a person",
    Result.LOOKS_FIRST: "looks at Clio before it begins",
    Result.UNKNOWN: "not known",
}
VERDICTS = {
    Verdict.KEPT_FROM_APPROVAL: "filed after the backup; its version is not approved again",
    Verdict.VERSION_UNKNOWN: "filed after the backup; its draft is not in this database",
    Verdict.OTHER_PLACE: "lies in another matter than its version was meant for; look at it",
    Verdict.OTHER_SIZE: "has another size than its version; look at it",
    Verdict.UNFINISHED: "unfinished, nobody sees it",
}


class Command(BaseCommand):
    help = (
        "After the database was restored from a backup: compare it with Clio, put right what differs, and "
        "let filing go on. May be stopped and run again. Exit code 0: done (or, with --dry-run, nothing is "
        f"in the way). 1: it could not run. {INCOMPLETE}: something could not be known; nothing is filed "
        "until it is, or until --accept-unknown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            metavar="WHEN",
            help="when the backup was made (2026-11-21 or 2026-11-21T14:00); by default read from the mark, "
            "else everything Countersign ever filed is looked at",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done and change nothing"
        )
        parser.add_argument(
            "--accept-unknown", action="store_true", help="let filing go on although something is not known"
        )
        parser.add_argument("--close", action="store_true", help="stop all filing now, and do nothing else")

    def handle(
        self, *, since: str | None, dry_run: bool, accept_unknown: bool, close: bool, **options: Any
    ) -> None:
        if close:
            gate.close()
            self.stdout.write("Nothing is filed from now on. To let it go on: manage.py reconcile")
            return
        closed = gate.closed()
        self.stdout.write(f"Nothing is being filed. {closed.sentence}" if closed else "The gate is open.")
        if closed is None and not dry_run:
            raise CommandError("There is nothing to reconcile. To compare all the same, --close first.")
        wishes = Wishes(
            since=_moment(since) if since else gate.lost_since(),
            dry_run=dry_run,
            accept_unknown=accept_unknown,
        )
        self.stdout.write(
            f"Documents created since {wishes.since:%Y-%m-%d %H:%M} UTC are looked at."
            if wishes.since
            else "Everything that Countersign ever filed is looked at."
        )
        report = reconcile(wishes, versions=DraftVersions(), say=self.stderr.write)
        self._print(report)
        if not report.is_complete and not report.opened:
            raise CommandError("Not everything could be known.", returncode=INCOMPLETE)

    def _print(self, report: Report) -> None:
        for line in report.deliveries:
            where = f" document {line.document_id}" if line.document_id else ""
            self._row(line.op_id, line.state, f"{RESULTS[line.result]}{where}", line.note)
        for found in report.documents:
            self._row(f"document {found.document_id}", "found", VERDICTS[found.verdict], found.note)
        for sentence in report.unknown:
            self._row("not known", "", sentence)
        counts = [f"{number} {RESULTS[result]}" for result, number in report.results.items()]
        self.stdout.write(
            f"{len(report.deliveries)} deliveries looked up: {'; '.join(counts) or 'none open'}."
        )
        self.stdout.write(f"{len(report.documents)} documents in Clio that this database did not know.")
        self.stdout.write("Filing goes on." if report.opened else "The gate stays as it was.")

    def _row(self, name: str, state: str, said: str, note: str = "") -> None:
        self.stdout.write(f"{name:32} {state:12} {said}{f' ({note})' if note else ''}")


def _moment(text: str) -> datetime:
    """A day counts from its first moment. Without a zone, by the portal's clock."""
    try:
        day, moment = parse_date(text), parse_datetime(text)
    except ValueError as error:
        raise CommandError(f"--since: {error}.") from error
    if moment is None and day is None:
        raise CommandError(f"--since takes 2026-11-21 or 2026-11-21T14:00, not {text!r}.")
    moment = moment or datetime(day.year, day.month, day.day)  # type: ignore[union-attr]  # noqa: DTZ001
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
