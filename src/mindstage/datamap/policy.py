"""The policy as a person reads it: fixed prose around tables that are read off the map and the operator's facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mindstage.datamap.content import Content, in_words
from mindstage.datamap.facts import Facts
from mindstage.datamap.retention import with_choice

type Rows = tuple[tuple[str, ...], ...]

UNDER: Final = {
    "user": "sealed under your own key",
    "item": "sealed under its own key",
    "none": "",
    "epoch": "wrapped under the key of the epoch",
    "cookie, user": "sealed under the cookie and under your own key",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. The first cell of a row names it."""

    head: tuple[str, ...]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Part:
    """A numbered part of a section: paragraphs, then perhaps a table."""

    number: str
    title: str
    text: tuple[str, ...]
    table: Table | None


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered section. `toc` is its name in the list at the side."""

    id: str
    number: int
    title: str
    toc: str
    text: tuple[str, ...]
    parts: tuple[Part, ...]


def write_policy(content: Content, facts: Facts) -> list[Section]:
    """Every section of one version, in order."""
    sections = [_section(section, content, facts) for section in content["section"].values()]
    return sorted(sections, key=lambda section: section.number)


def _section(section: Mapping[str, Any], content: Content, facts: Facts) -> Section:
    return Section(
        id=section["id"],
        number=section["number"],
        title=section["title"],
        toc=section["toc"],
        text=_fill(section.get("text", ()), facts),
        parts=tuple(_part(part, content, facts) for part in section.get("part", ())),
    )


def _part(part: Mapping[str, Any], content: Content, facts: Facts) -> Part:
    table = _typeset(TABLES[part["table"]](content, facts)) if "table" in part else None
    return Part(part["number"], part["title"], _fill(part.get("text", ()), facts), table)


def _typeset(table: Table) -> Table:
    return Table(table.head, tuple(tuple(typeset(cell) for cell in row) for row in table.rows))


def typeset(words: str) -> str:
    """With the apostrophes of print, as every page has them: the map is written with those of the keyboard."""
    return words.replace("'", "’")


def _fill(paragraphs: Any, facts: Facts) -> tuple[str, ...]:
    values = {"name": facts.name, "who": facts.who, "region": facts.region}
    return tuple(paragraph.format_map(values) for paragraph in paragraphs)


def _entries(content: Content, facts: Facts) -> Table:
    rows = (
        (
            entry["title"],
            _sentence(entry["note"] or _source(entry)),
            f"{_sentence(in_words(entry['purpose']))} Ground: {entry['basis']}.",
            " After deletion: ".join([_active(content, facts, key), _lower(_after(content, facts, key))]),
        )
        for key, entry in content["entry"].items()
    )
    return Table(("Kind", "What", "Why", "How long"), tuple(rows))


def _source(entry: Mapping[str, Any]) -> str:
    return {"direct": "what you gave us", "derived": "made from what you gave us", "automatic": "made by the program"}[
        entry["source"]
    ]


def _where(content: Content, facts: Facts) -> Table:  # noqa: ARG001 - every table is written alike
    rows = (
        (
            entry["title"],
            "; ".join(_lower(content["store"][store]["title"]) for store in entry["stores"]).capitalize() + ".",
            _sentence(UNDER.get(entry["sealed"], f"sealed under {entry['sealed']}") or "not sealed: it holds no words"),
        )
        for entry in content["entry"].values()
    )
    return Table(("Kind", "Where it lies", "How it lies there"), tuple(rows))


def _stores(content: Content, facts: Facts) -> Table:
    rows = (
        (store["title"], _sentence(store["holds"]), _time(content, facts, "store", key, "ends"))
        for key, store in content["store"].items()
    )
    return Table(("Place", "What is in it", "Until when"), tuple(rows))


def _recipients(content: Content, facts: Facts) -> Table:
    got = [
        entry["title"].lower()
        for entry in content["entry"].values()
        if any("narrator" in recipient for recipient in entry["recipients"])
    ]
    gets = f"Of {', '.join(got)}: what one reply needs."
    rows = [
        ("The narrator of this program", "This machine", gets, "Nothing leaves: it keeps nothing and trains nothing.")
    ]
    for provider in facts.providers:
        terms = f"Keeps: {provider.retains or 'not stated'}. Trains on it: {provider.trains or 'not stated'}."
        rows.append((provider.name, _sentence(provider.region or "not stated")[:-1], gets, terms))
    return Table(("Who", "Where", "Gets", "What it does with it"), tuple(rows))


def _doors(content: Content, facts: Facts) -> Table:  # noqa: ARG001
    return Table(
        ("Connection", "What goes through it"),
        tuple((door["title"], _sentence(door["sends"])) for door in content["door"].values()),
    )


def _rights(content: Content, facts: Facts) -> Table:  # noqa: ARG001
    rows = (
        (entry["title"], _sentence(entry["export"]), _sentence(_ending(entry["erase"])))
        for entry in content["entry"].values()
    )
    return Table(("Kind", "How you take it with you", "How it ends"), tuple(rows))


def _ending(erase: str) -> str:
    ways = {
        "shred": "its key is destroyed, and no copy of it anywhere can be read again",
        "delete": "its rows are deleted",
        "unlink": "the link to you is destroyed",
        "expire": "it ends by itself",
    }
    return ways.get(erase, f"kept: {erase.removeprefix('keep').lstrip(': ')}")


def _retention(content: Content, facts: Facts) -> Table:
    rows = [
        (entry["title"], _active(content, facts, key), _after(content, facts, key))
        for key, entry in content["entry"].items()
    ]
    backups = content["store"]["folder:backups"]
    rows.append((backups["title"], _time(content, facts, "store", "folder:backups", "ends"), "The same."))
    return Table(("Kind", "While you are here", "After deletion"), tuple(rows))


def _active(content: Content, facts: Facts, key: str) -> str:
    return _time(content, facts, "entry", key, "retention_active")


def _after(content: Content, facts: Facts, key: str) -> str:
    return _time(content, facts, "entry", key, "retention_after")


def _time(content: Content, facts: Facts, kind: str, key: str, field: str) -> str:
    return with_choice(_sentence(content[kind][key][field]), (kind, key, field), facts.retention)


def _consents(content: Content, facts: Facts) -> Table:  # noqa: ARG001
    rows = (
        (
            consent["title"],
            consent["asks"],
            "On until you switch it off." if consent["default"] else "Off until you say yes.",
        )
        for consent in content["consent"].values()
    )
    return Table(("Choice", "What you are asked", "How it begins"), tuple(rows))


def decisions_of(content: Content) -> list[Mapping[str, str]]:
    """What the program decides by itself, each with id, title, looks_at, does, turn_to (what one can do about it)."""
    parts = [part for section in content["section"].values() for part in section.get("part", ())]
    return [decision for part in parts for decision in part.get("decision", ())]


def _decisions(content: Content, facts: Facts) -> Table:  # noqa: ARG001
    rows = (
        (one["title"], _sentence(one["looks_at"]), _sentence(one["does"]), _sentence(one["turn_to"]))
        for one in decisions_of(content)
    )
    return Table(("Decision", "Looks at", "What it does", "What you can do"), tuple(rows))


def _contacts(content: Content, facts: Facts) -> Table:  # noqa: ARG001
    nobody = "No address was given; the owner of this copy is the one who gave you its link."
    rows = (
        ("Data protection", facts.contact_data_protection or nobody, "Within two business days."),
        ("Privacy questions", facts.contact_privacy or nobody, "Within two business days."),
        ("A weakness you found", facts.contact_security or nobody, "As soon as a person has read it."),
    )
    return Table(("About", "Write to", "An answer comes"), rows)


TABLES: Final[Mapping[str, Callable[[Content, Facts], Table]]] = {
    "entries": _entries,
    "where": _where,
    "stores": _stores,
    "recipients": _recipients,
    "doors": _doors,
    "rights": _rights,
    "retention": _retention,
    "consents": _consents,
    "decisions": _decisions,
    "contacts": _contacts,
}
"""What a part of policy.toml may show."""


def _sentence(words: str) -> str:
    """With a capital at its start and a full stop at its end."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", ")")) else ".") if words else ""


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
