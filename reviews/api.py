"""The door for programs: submit drafts, and read what one submitted."""

from __future__ import annotations

from ninja import NinjaAPI

api = NinjaAPI(title="Countersign", version="1", docs_url=None, urls_namespace="api")
