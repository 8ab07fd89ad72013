"""The API against its own description: whatever is sent, no answer is a 5xx, and none is undocumented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from portal.accounts.models import ApiKey
from reviews.models import Draft
from tests.cast import Cast
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

# What is sent may be refused for reasons that no schema can say, such as an unknown matter.
BEYOND_A_SCHEMA: list[Any] = [positive_data_acceptance, negative_data_rejection]
SITE = "http://localhost"
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), base_url=SITE)

BOUNDED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _keep_the_connection() -> Iterator[None]:
    """The test's transaction outlives its requests; Django's own test client arranges the same."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def key(cast: Cast, clio: SandboxProcess) -> dict[str, str]:
    _, token = ApiKey.issue(name="fuzzer", owner=cast.carol, by=cast.dana)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def draft(cast: Cast, key: dict[str, str], waiting: Draft) -> Draft:
    waiting.api_key = ApiKey.objects.get()
    waiting.save(update_fields=["api_key"])
    return waiting


@schema.parametrize()
@BOUNDED
def test_every_answer_is_a_documented_one(
    case: schemathesis.Case[Any], key: dict[str, str], draft: Draft
) -> None:
    if "draft_id" in case.path_parameters and len(str(case.path_parameters["draft_id"])) % 2:
        case.path_parameters["draft_id"] = str(draft.pk)  # one that is there, half of the time
    case.call_and_validate(headers=key, excluded_checks=BEYOND_A_SCHEMA)


@schema.parametrize()
@settings(BOUNDED, max_examples=10, phases=[Phase.generate])
def test_without_a_key_every_answer_is_401(case: schemathesis.Case[Any], db: None) -> None:
    answer = case.call(headers={"Authorization": "Bearer csk_wrong"})
    assert answer.status_code in {401, 404, 405}, answer.text
    assert set(answer.json()) == {"code", "message", "field"}
