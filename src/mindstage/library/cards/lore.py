"""A card's own lorebook: entries as plain data. Shapes that other programs write are taken as they are meant."""

from __future__ import annotations

import re
from typing import Any

from mindstage.library.cards import limits
from mindstage.library.cards.card import CardLore
from mindstage.library.cards.fields import Fields
from mindstage.library.cards.refusal import refusal

_PLACE = " of a lore entry"
_PATTERN_SIGN = re.compile(r"[\\^$|?*+()\[\]{}]")
_SLASHED = re.compile(r"/.+/[a-z]*", re.DOTALL)
# The names of a world-info file, which some exporters leave inside a card.
OTHER_NAMES = {"keys": "key", "secondary_keys": "keysecondary", "insertion_order": "order"}
_NOT_USED_YET = ("scan_depth", "token_budget", "recursive_scanning")


def read_lore(book: dict[str, Any], notices: list[str]) -> tuple[CardLore, ...]:
    """The entries of a `character_book`, in the order of the file. Adds to `notices`; raises CardRefused.

    Decorators (lines that begin with `@@`) are taken off the content; of them, only activate and dont_activate act.
    """
    if not book:
        return ()
    entries = tuple(_entry(values, notices) for values in list_entries(book))
    if any(book.get(name) not in (None, False) for name in _NOT_USED_YET):
        notices.append("The lorebook’s own scan depth, token budget and recursion are kept but not used yet.")
    _report(entries, notices)
    return entries


def list_entries(book: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of a book as they stand in it. Raises CardRefused."""
    listed = book.get("entries")
    if isinstance(listed, dict):
        listed = list(listed.values())
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise Fields(book, [], " of the lorebook").wrong("entries", "a list", listed)
    if len(listed) > limits.LORE_ENTRIES:
        raise refusal("The card’s lorebook has more than 5,000 entries.", "Import a smaller version of the card.")
    for entry in listed:
        if not isinstance(entry, dict):
            raise Fields(book, [], " of the lorebook").wrong("entries", "a list of objects", entry, within=True)
    return listed


def _entry(values: dict[str, Any], notices: list[str]) -> CardLore:
    fields = Fields(with_card_names(values), notices, _PLACE)
    keys = fields.words("keys")
    decorators, content = split_decorators(fields.text("content"))
    if decorators - {"activate", "dont_activate"}:
        _once(notices, "Some lore entries carry decorators (@@). They are kept but not used yet.")
    always = "activate" in decorators  # and it wins over dont_activate
    return CardLore(
        name=fields.loose_text("name") or fields.loose_text("comment") or (keys[0] if keys else ""),
        keys=keys,
        content=content,
        secondary_keys=fields.words("secondary_keys"),
        selective=fields.flag("selective", default=False),
        constant=fields.flag("constant", default=False) or always,
        case_sensitive=fields.flag("case_sensitive", default=False),
        order=fields.number("insertion_order", default=100),
        enabled=fields.flag("enabled", default=True) and (always or "dont_activate" not in decorators),
        use_regex=_has_patterns(keys, declared=fields.flag("use_regex", default=False)),
    )


def with_card_names(values: dict[str, Any]) -> dict[str, Any]:
    """The entry under the names of the card formats."""
    named = dict(values)
    for name, other in OTHER_NAMES.items():
        if name not in values and other in values:
            named[name] = values[other]
    if "enabled" not in values and isinstance(values.get("disable"), bool):
        named["enabled"] = not values["disable"]
    return named


def put_value(values: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The entry with another value, under the card formats' name and under the other one, if it came with that."""
    other = OTHER_NAMES.get(name)
    return with_card_names(values) | {name: value} | ({other: value} if other in values else {})


def split_decorators(content: str) -> tuple[set[str], str]:
    """The names of the decorators at the start of `content`, and what follows them (and their fallbacks, `@@@`)."""
    names: set[str] = set()
    start = 0
    while content.startswith("@@", start):
        line_end = content.find("\n", start)
        end = len(content) if line_end < 0 else line_end
        words = content[start + 2 : end].split(maxsplit=1)
        if words and not words[0].startswith("@"):
            names.add(words[0])
        start = end + 1
    return names, content[start:]


def _has_patterns(keys: tuple[str, ...], *, declared: bool) -> bool:
    """Whether keys are patterns. SillyTavern declares every entry so; there only what stands between slashes is one."""
    return any(_SLASHED.fullmatch(key) or (declared and _PATTERN_SIGN.search(key)) for key in keys)


def _report(entries: tuple[CardLore, ...], notices: list[str]) -> None:
    patterns = sum(entry.use_regex for entry in entries)
    if patterns:
        notices.append(f"{patterns} of {len(entries)} lore entries look for patterns. They are kept but not used yet.")
    idle = sum(entry.enabled and not entry.constant and not entry.keys for entry in entries)
    if idle:
        notices.append(f"{idle} of {len(entries)} lore entries have no words that call them up.")


def _once(notices: list[str], sentence: str) -> None:
    if sentence not in notices:
        notices.append(sentence)
