"""The sandbox's table of names must be Clio's, name by name."""

from __future__ import annotations

from typing import Any

import pytest

from clio_sync.sandbox.shapes import SHAPES, Association
from tests.clio_contract.checker import CONTRACT

SCHEMAS = CONTRACT["components"]["schemas"]


def _properties(model: str) -> dict[str, Any]:
    parts = SCHEMAS[model].get("allOf", [SCHEMAS[model]])
    made: dict[str, Any] = {}
    for part in parts:
        whole = SCHEMAS[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        made |= whole.get("properties", {})
    return made


def _association(schema: dict[str, Any]) -> Association | None:
    inner = schema.get("items", schema)
    if "$ref" not in inner:
        return None
    return Association(inner["$ref"].rpartition("/")[2], many="items" in schema)


@pytest.mark.parametrize("model", sorted(SHAPES))
def test_the_shape_is_that_of_the_contract(model: str) -> None:
    properties = _properties(model)
    links = {name: link for name, schema in properties.items() if (link := _association(schema))}

    assert SHAPES[model].associations == links
    assert SHAPES[model].attributes == set(properties) - set(links)
