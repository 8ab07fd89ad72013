"""A connection to the real sandbox, for tests that need more than a script."""

from __future__ import annotations

from dataclasses import dataclass, field

from clio_sync.api import CallReport, ClioClient, Secret, StoragePolicy, oauth
from clio_sync.api.oauth import OAuthApp
from tests.sandbox_process import ALICE, SandboxProcess


@dataclass
class Rehearsal:
    """Its tokens are those the sandbox handed out, and it renews them as a connection would."""

    sandbox: SandboxProcess
    access: Secret
    refresh: Secret
    reports: list[CallReport] = field(default_factory=list)
    rejected: int = 0

    @classmethod
    def at(cls, sandbox: SandboxProcess) -> Rehearsal:
        tokens = sandbox.tokens(ALICE)
        return cls(sandbox, Secret(tokens["access_token"]), Secret(tokens["refresh_token"]))

    def __call__(self) -> Secret:
        return self.access

    def on_rejected(self, token: Secret) -> Secret | None:
        self.rejected += 1
        self.access = oauth.refresh(self.app, refresh_token=self.refresh).access_token
        return self.access

    @property
    def app(self) -> OAuthApp:
        secret = Secret(self.sandbox.client_secret)
        return OAuthApp(self.sandbox.api_url, self.sandbox.client_id, secret, sandbox=True)

    def client(self) -> ClioClient:
        return ClioClient(
            self.sandbox.api_url,
            self,
            storage_policy=StoragePolicy.sandbox(self.sandbox.storage_url),
            on_response=self.reports.append,
        )

    def calls(self) -> list[str]:
        """What was asked of the API, by the sandbox's own names."""
        return [call["route"] for call in self.sandbox.calls(listener="api")]
