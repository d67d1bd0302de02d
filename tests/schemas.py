"""JSON Schema as others read it: by a validator that shares nothing with this program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker


def misfits(schema: dict[str, Any], value: Any, where: str = "") -> Iterator[str]:
    """What of a value the schema does not allow. The schema itself must be one, or this raises SchemaError."""
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    yield from (f"{where}{error.json_path}: {error.message}" for error in validator.iter_errors(value))


def open_objects(schema: Any, where: str = "$") -> Iterator[str]:
    """Places of a schema at which an unknown key would pass."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("additionalProperties", True) is True:
            yield where
        for key, part in schema.items():
            yield from open_objects(part, f"{where}.{key}")
