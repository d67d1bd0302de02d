"""The map as it is served at /.well-known/data-map.json, and the JSON Schema that describes it."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from mindstage.datamap.content import Content
from mindstage.datamap.facts import Facts

NAME: Final = "data-map-1.json"
PLACE: Final = f"/schemas/{NAME}"


@cache
def schema_text() -> str:
    """The schema, as docs/schemas has it too."""
    return (Path(__file__).with_name("schemas") / NAME).read_text()


def as_served(content: Content, facts: Facts, *, number: int, made_on: date, effective_on: date) -> dict[str, Any]:
    """One version of the map with the operator's facts, without the prose."""
    return {
        "$schema": PLACE,
        "version": number,
        "released": made_on.isoformat(),
        "effective": effective_on.isoformat(),
        "operator": facts.as_json(),
        "entries": list(content["entry"].values()),
        "stores": list(content["store"].values()),
        "doors": list(content["door"].values()),
        "consents": list(content["consent"].values()),
    }
