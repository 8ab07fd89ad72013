"""One connection at the sandbox, and processes that call Clio through it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import connection as database
from django.db import connections
from django.utils import timezone

from bench.figures import Figure, publish
from clio_sync.api.errors import ClioError
from clio_sync.calls import client_for
from clio_sync.models import Connection, RateState
from tests.cast import Cast
from tests.clio_sync.renewing import due_connection
from tests.sandbox_process import ALICE, SandboxProcess

PLENTY: Final = 1_000_000

processes = multiprocessing.get_context("fork")


class Rehearsal:
    """One connection at the sandbox, whose token ends whenever it is told to."""

    def __init__(self, sandbox: SandboxProcess, connection_id: UUID) -> None:
        self.sandbox = sandbox
        self.connection_id = connection_id

    def end_token(self, *, rotation: str = "none", slow_by: float = 0.0, calls: int | None = None) -> int:
        """The token is over, here and at Clio; what the ledger's last call was before anybody noticed."""

        self.sandbox.clear_faults()
        self.sandbox.switch(refresh_rotation=rotation)
        self.sandbox.act("expire_tokens")
        if slow_by:
            self.sandbox.fault("oauth.token", "delay", seconds=slow_by, count=calls)
        self.let_it_be_renewed()
        return self.sandbox.last_call_id()

    def let_it_be_renewed(self) -> None:
        """The token is over as far as the portal knows; Clio would still take it."""
        over = timezone.now() - timedelta(seconds=5)
        Connection.objects.filter(pk=self.connection_id).update(expires_at=over)

    def renewals(self, *, since: int) -> int:
        return len(self.sandbox.calls(route="oauth.token", since=since))

    def publish(self, goal: str, faults: int, *, n: int, seed: int, compared_with: str) -> bool:
        figure = Figure(
            id=f"{goal}_{database.vendor}",
            target=0,
            value=faults,
            n=n,
            seed=seed,
            compared_with=compared_with,
        )
        return publish(figure)

    def row(self) -> Connection:

        return Connection.objects.get(pk=self.connection_id)

    def call(self) -> str:
        """One call to Clio by this process: nothing, or the name of what went wrong."""
        try:
            with client_for(self.row()) as clio:
                clio.who_am_i()
        except ClioError as error:
            return type(error).__name__
        return ""

    def child(self, work: Callable[..., None], *arguments: Any) -> BaseProcess:
        """A process of its own, with no connection to the database that it would share with this one."""

        connections.close_all()
        child = processes.Process(target=work, args=(self, *arguments))
        child.start()
        return child


def rehearse() -> Rehearsal:

    sandbox = SandboxProcess(data=Path(os.environ["DATA_DIR"]))
    sandbox.api_url, sandbox.control_url = (
        os.environ["CLIO_SANDBOX_URL"],
        os.environ["CLIO_SANDBOX_CONTROL_URL"],
    )
    given = sandbox.tokens(ALICE)
    held = {"access": given["access_token"], "refresh": given["refresh_token"]}
    link = due_connection(Cast().dana, **held, expires_in=3600, clio_user_id=ALICE)
    RateState.objects.create(connection=link, limit=PLENTY)
    return Rehearsal(sandbox, link.pk)
