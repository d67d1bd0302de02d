"""Whether JSON from elsewhere has the shape that this program writes: types first, so that nothing fails later on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, get_args, get_origin, get_type_hints


def fits(value: Any, shape: Mapping[str, type]) -> bool:
    """Whether `value` is an object that has these fields, each of its type; a truth is no number."""
    return isinstance(value, dict) and all(
        isinstance(value.get(name), kind) and (kind is bool or not isinstance(value[name], bool))
        for name, kind in shape.items()
    )


def conforms(value: Any, hint: Any) -> bool:
    """Whether JSON fits a type: text, number, truth, a tuple of one type, or a dataclass of these."""
    if get_origin(hint) is tuple:
        return isinstance(value, list) and all(conforms(item, get_args(hint)[0]) for item in value)
    if hasattr(hint, "__dataclass_fields__"):
        return isinstance(value, dict) and _members_fit(value, hint)
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


def _members_fit(value: dict[str, Any], kind: Any) -> bool:
    hints = get_type_hints(kind)
    for member in fields(kind):
        if member.name not in value:
            if member.default is MISSING and member.default_factory is MISSING:
                return False
        elif not conforms(value[member.name], hints[member.name]):
            return False
    return True
