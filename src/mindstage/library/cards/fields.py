"""Single fields of a card: the right type, or a refusal that names the field and what was expected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mindstage.library.cards import limits
from mindstage.library.cards.refusal import CardRefused, refusal

_ORDER_LIMIT = 1_000_000
_DIGITS = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Fields:
    """An object out of a card, and the list that takes the notices about it. `place` is "" or " of a lore entry"."""

    values: Mapping[str, Any]
    notices: list[str]
    place: str = ""

    def text(self, name: str, *, most: int = limits.FIELD_CHARACTERS) -> str:
        """The text of `name`; "" when it is missing or null."""
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(name, "text", value)
        return self._short_enough(name, value, most)

    def owed_text(self, name: str, *, most: int = limits.FIELD_CHARACTERS) -> str:
        """The text of a field that every card of its kind must have: as `text`, and null gets a notice."""
        if self.values.get(name, "") is None:
            self.notices.append(f"“{name}” was null; it is read as empty.")
        return self.text(name, most=most)

    def loose_text(self, name: str) -> str:
        """As `text`, and a number counts as its digits: versions and lore names are often written so."""
        value = self.values.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return self.text(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """The list of texts `name`; empty when it is missing or null."""
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.wrong(name, "a list of texts", value)
        if len(value) > limits.LIST_ITEMS:
            raise refusal(f"Its field “{name}”{self.place} has more than {limits.LIST_ITEMS:,} items.")
        for item in value:
            if not isinstance(item, str):
                raise self.wrong(name, "a list of texts only", item, within=True)
            self._short_enough(name, item, limits.FIELD_CHARACTERS)
        return tuple(value)

    def tags(self) -> tuple[str, ...]:
        """As `texts`; together no longer than one field, as which a form shows them."""
        tags = self.texts("tags")
        self._short_enough("tags", "\n".join(tags), limits.FIELD_CHARACTERS)
        return tags

    def words(self, name: str) -> tuple[str, ...]:
        """Keys of a lore entry: a list of texts, or (as old tools write it) one text with commas. Trimmed."""
        value = self.values.get(name)
        if isinstance(value, str):
            items = tuple(self._short_enough(name, value, limits.FIELD_CHARACTERS).split(","))
        elif isinstance(value, list):
            plain = [str(item) if type(item) in (int, float) else item for item in value]
            items = Fields({name: plain}, self.notices, self.place).texts(name)
            self._short_enough(name, "\n".join(items), limits.FIELD_CHARACTERS)  # a form shows them in one field
        else:
            items = self.texts(name)
        return tuple(word for item in items if (word := item.strip()))

    def mapping(self, name: str) -> dict[str, Any]:
        """The object `name`; empty when it is missing or null."""
        value = self.values.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.wrong(name, "an object", value)
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false; 0 and 1 count too, missing and null are the default."""
        value = self.values.get(name)
        if value is None:
            return default
        if value in (0, 1) and isinstance(value, bool | int | float):
            return bool(value)
        raise self.wrong(name, "true or false", value)

    def number(self, name: str, *, default: int) -> int:
        """A whole number within ±1,000,000 (clamped, rounded down); a text of digits counts, missing is the default."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, "a number", value)
        return int(max(-_ORDER_LIMIT, min(_ORDER_LIMIT, value)))

    def wrong(self, name: str, expected: str, value: Any, *, within: bool = False) -> CardRefused:
        """The refusal of a value of the wrong type: names the field, never the value."""
        found = f"holds {_kind(value)}" if within else f"is {_kind(value)}"
        return refusal(f"Its field “{name}”{self.place} should be {expected}, but it {found}.")

    def _short_enough(self, name: str, value: str, most: int) -> str:
        if len(value) > most:
            raise refusal(
                f"Its field “{name}”{self.place} is longer than {most:,} characters.", "Shorten it and try again."
            )
        return value


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "a number"
