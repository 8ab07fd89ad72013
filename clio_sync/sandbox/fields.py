"""The ``fields`` parameter: ``id,etag,matter{id,description}``.

Clio selects one level deep. A name inside the braces may itself be an association, but only bare, and then it
brings its default attributes. Anything else is a 400 that names the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clio_sync.sandbox.errors import invalid_field
from clio_sync.sandbox.shapes import SHAPES, Shape

Record = Mapping[str, Any]
# A name, and what to take from the record behind it (None: a plain attribute).
Selection = Mapping[str, "Selection | None"]

_DEFAULTS: dict[str, tuple[str, ...]] = {
    "MultipartHeader_base": ("name", "value"),
    "Multipart": ("part_number", "put_url", "put_headers"),
}


def parse(text: str | None, *, model: str, bare: tuple[str, ...] = ("id", "etag")) -> Selection:
    """Read a ``fields`` parameter for one model; without one, only ``id`` and ``etag`` are selected.

    ``bare`` is what an association named without braces brings: unverified for Clio, so it can be set.
    """
    if not text:
        return _defaults(model, ("id", "etag"))
    return {name: _select(SHAPES[model], name, inner, bare=bare) for name, inner in _split(text)}


def project(record: Record, selection: Selection) -> dict[str, Any]:
    """Take the selected names. Associations may be callables, so that only what was asked for is loaded."""
    return {name: _take(record.get(name), inner) for name, inner in selection.items()}


def _take(value: Any, inner: Selection | None) -> Any:
    value = value() if callable(value) else value
    if inner is None or value is None:
        return value
    if isinstance(value, list):
        return [_take(item, inner) for item in value]
    if value.get("redacted"):
        return {"id": value["id"], "redacted": True}
    return project(value, inner)


def _select(shape: Shape, name: str, inner: str | None, *, bare: tuple[str, ...]) -> Selection | None:
    association = shape.associations.get(name)
    if association is None:
        if name not in shape.attributes or inner is not None:
            raise invalid_field(name)
        return None
    if inner is None:
        return _defaults(association.model, bare)
    return {nested: _second_level(SHAPES[association.model], nested, bare=bare) for nested in _names(inner)}


def _second_level(shape: Shape, name: str, *, bare: tuple[str, ...]) -> Selection | None:
    if name in shape.associations:
        return _defaults(shape.associations[name].model, bare)
    if name not in shape.attributes:
        raise invalid_field(name)
    return None


def _defaults(model: str, wanted: tuple[str, ...]) -> Selection:
    shape = SHAPES[model]
    names = _DEFAULTS.get(model, wanted)
    return {
        name: _defaults(shape.associations[name].model, wanted) if name in shape.associations else None
        for name in names
        if name in shape.attributes or name in shape.associations
    }


def _split(text: str) -> Iterator[tuple[str, str | None]]:
    """Cut at the commas outside braces: ``a,b{c,d}`` gives ``("a", None)`` and ``("b", "c,d")``."""
    rest = text
    while rest:
        comma, brace = rest.find(","), rest.find("{")
        if brace == -1 or -1 < comma < brace:
            name, _, rest = rest.partition(",")
            yield name, None
            continue
        name, _, tail = rest.partition("{")
        inner, closed, rest = tail.partition("}")
        if "{" in inner:
            raise invalid_field(f"{inner.partition('{')[0].rpartition(',')[2]}}}")
        if not closed or not inner or (rest and not rest.startswith(",")):
            raise invalid_field(name + "{" + inner)
        yield name, inner
        rest = rest[1:]


def _names(inner: str) -> list[str]:
    return inner.split(",")
