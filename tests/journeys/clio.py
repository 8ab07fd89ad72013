"""Clio as the sandbox's own ledger tells it, and what may go wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.stacks import Stack, wait_until


@dataclass(frozen=True)
class Clio:
    stack: Stack

    def documents(self, file_name: str) -> list[dict[str, Any]]:
        """Everything of this name that was not there from the start, finished or not, in the trash or not."""
        told = self.stack.sandbox("GET", "/documents")["documents"]
        return [document for document in told if document["name"] == file_name]

    def only_document(self, file_name: str) -> dict[str, Any]:
        """The one document of this name, which everybody can see."""
        (document,) = self.documents(file_name)
        assert document["visible"], document
        return document

    def calls_about(self, document_id: int) -> list[str]:
        """The API calls that made, changed or read this document, by the names of their routes."""
        return [call["route"] for call in self._calls() if _is_about(call, document_id)]

    def document_calls(self, *, since: int) -> list[dict[str, Any]]:
        """Every call about documents, to the API or to storage, after this line of the ledger."""
        return [call for call in self._calls(since=since) if _is_about_documents(call)]

    def last_call(self) -> int:
        return int(self.stack.sandbox("GET", "/ledger", params={"limit": 1})["last_id"])

    def content(self, document: dict[str, Any]) -> str:
        """The SHA-256 of the bytes that storage holds for the newest version."""
        return str(document["versions"][-1]["stored_sha256"])

    def go_wrong(self, route: str, kind: str, **plan: Any) -> None:
        self.stack.sandbox("POST", "/faults", json={"route": route, "kind": kind, **plan})

    def mend(self) -> None:
        self.stack.sandbox("DELETE", "/faults")

    def act(self, name: str, **values: Any) -> None:
        """What a person does in Clio while the portal is not looking."""
        self.stack.sandbox("POST", "/act", json={"act": name, **values})

    def wait_for_reservation(self, file_name: str) -> None:
        """Until a worker has reserved a document of this name: it is in the middle of filing then."""
        wait_until(lambda: self.documents(file_name), what=f"{file_name} to be reserved in Clio")

    def _calls(self, *, since: int = 0) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = self.stack.sandbox("GET", "/ledger", params={"since": since})["calls"]
        return calls


def _is_about_documents(call: dict[str, Any]) -> bool:
    return str(call["route"]).startswith("documents.") or call["listener"] == "storage"


def _is_about(call: dict[str, Any], document_id: int) -> bool:
    if call["listener"] != "api" or not str(call["route"]).startswith("documents."):
        return False
    path = str(call["path"]).removesuffix(".json").split("/")
    answer = call["response_body"] if isinstance(call["response_body"], dict) else {}
    data = answer.get("data")
    listed = data if isinstance(data, list) else [data]
    return str(document_id) in path or any(
        isinstance(one, dict) and one.get("id") == document_id for one in listed
    )
