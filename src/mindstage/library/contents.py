"""What stands in a material of each kind, as JSON, and which of its texts a page corrects.

A persona is `{"about": …}`. A lorebook is a book as Character Card V3 has it, kept as it came (`entries`, and what else
its file said). A scenario is a stage (stage_texts.py) with its `openings`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from mindstage.kit import canonical
from mindstage.kit.shapes import conforms, fits
from mindstage.library.book_texts import places_of_entries, put_entry_text, texts_of_entry, walk_entries
from mindstage.library.cards import CardRefused, limits
from mindstage.library.cards.lore import list_entries, read_lore
from mindstage.library.correctable import Correctable, Group, texts_of
from mindstage.library.hidden_copies import correct_copies, drop_whole_copies
from mindstage.library.models import Material
from mindstage.library.stage_texts import (
    drop_blank_rows,
    put_any_name,
    refuse_unstorable,
    walk_stage,
)
from mindstage.prompts.inputs import CastMember, LoreEntry
from mindstage.streaming.raw import Refused

type Json = dict[str, Any]
Kind = Material.Kind

NAME_CHARACTERS: Final = {Kind.PERSONA: 60, Kind.LOREBOOK: 120, Kind.SCENARIO: 120}
CONTENT_BYTES: Final = 3_000_000
MOST_ROWS: Final = {"openings": limits.LIST_ITEMS, "cast": 1_000, "roles": 1_000, "lore": limits.LORE_ENTRIES}
"""Of a scenario: as many openings and as much lore as a card may have."""
ADDED: Final = {"lore": "pieces of lore", "cast": "people in its cast"}
"""What a scenario gets more of, and what the pages call it."""
BLANK: Final[dict[str, Json]] = {
    Kind.PERSONA: {"about": ""},
    Kind.LOREBOOK: {"entries": [], "extensions": {}},
    Kind.SCENARIO: {"premise": "", "byline": "", "cast": [], "roles": [], "lore": [], "openings": [""],
                    "source": "", "persona": "", "about": ""},
}  # fmt: skip
"""What a new one holds."""
BLANK_ENTRY: Final = {"keys": [], "content": "", "extensions": {}, "enabled": True, "insertion_order": 100,
                      "use_regex": False, "name": ""}  # fmt: skip
CALLED: Final = {Kind.PERSONA: "Name", Kind.LOREBOOK: "Name", Kind.SCENARIO: "Title"}
"""What the pages call the name of one."""
NEEDS_NAME: Final = "It needs a {}, on one line of at most {} characters. Nothing was changed."
FULL: Final = "It has {:,} {}, as many as fit into one. Nothing was changed: keep your words without adding any."
TOO_LONG: Final = "All of this together is longer than can be kept. Nothing was changed; please shorten it."


@dataclass(frozen=True, slots=True)
class Role:
    """One of a scenario's cast as the page shows it."""

    name: str
    line: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """The shape of a scenario's content."""

    premise: str
    byline: str
    cast: tuple[CastMember, ...]
    roles: tuple[Role, ...]
    lore: tuple[LoreEntry, ...]
    openings: tuple[str, ...]
    source: str = ""
    persona: str = ""
    about: str = ""


def content_fits(kind: str, content: Any) -> bool:
    """Whether JSON from elsewhere is what a material of this kind holds. It may have more fields."""
    if kind == Kind.PERSONA:
        return fits(content, {"about": str})
    if kind == Kind.SCENARIO:
        return conforms(content, Scenario)
    try:
        return isinstance(content, dict) and read_lore(content, []) is not None
    except CardRefused:
        return False


def check_name(kind: str, name: str) -> str:
    """A name on one line. Raises Refused."""
    line, most = " ".join(name.split()), NAME_CHARACTERS[Kind(kind)]
    if not line or len(line) > most or not line.isprintable():
        raise Refused(NEEDS_NAME.format(CALLED[Kind(kind)].lower(), most))
    return line


def name_out_of(text: object, kind: str, *, otherwise: str) -> str:
    """A name that `check_name` takes, out of a text that was not written as one."""
    line = " ".join(text.split()) if isinstance(text, str) else ""
    signs = "".join(sign for sign in line if sign.isprintable())
    return signs[: NAME_CHARACTERS[Kind(kind)]].strip() or otherwise


def check_texts(kind: str, name: str, content: Json) -> None:
    """Whether all that was typed can be stored. Raises Refused, CardRefused."""
    for group in list_texts(kind, name, content):
        for one in group.fields:
            refuse_unstorable(one.text)


def pack(kind: str, content: Json) -> bytes:
    """The JSON as it is sealed. Raises Refused, CardRefused: a lorebook that could not be read again is not written."""
    if kind == Kind.LOREBOOK:
        read_lore(content, [])
    if kind == Kind.SCENARIO and any(len(content[name]) > most for name, most in MOST_ROWS.items()):
        raise Refused(TOO_LONG)
    packed = canonical.to_bytes(content)
    if len(packed) > CONTENT_BYTES:
        raise Refused(TOO_LONG)
    return packed


def list_texts(kind: str, name: str, content: Json) -> Iterator[Group]:
    """Its name and every text that it holds, in the order of the page. Raises CardRefused."""
    title = Correctable("name", CALLED[Kind(kind)], name)
    if kind == Kind.SCENARIO:
        world, *others = walk_stage(content)
        fields = [one for one in world.fields if one.path != "about"]  # whom one plays is chosen with each story
        yield Group("world", "", [title, *fields])
        yield from others
    elif kind == Kind.PERSONA:
        yield Group("world", "", [title, *texts_of("about", "Who that is", content.get("about"))])
    else:
        yield Group("world", "", [title, *texts_of("description", "Description", content.get("description"))])
        yield from walk_entries(content)


def put_texts(kind: str, content: Json, changes: Sequence[tuple[Correctable, str]]) -> None:
    """Write each text where it stood, and into the copies of it that no page shows. Raises Refused, CardRefused."""
    for one, text in changes:
        _put_text(kind, content, one, text)
    if changes:
        shown = {tuple(one.path.split(".")) for group in list_texts(kind, "", content) for one in group.fields}
        if kind == Kind.LOREBOOK:
            drop_whole_copies(content)
            shown.update(places_of_entries(content))
        correct_copies(content, shown, changes)


def _put_text(kind: str, content: Json, one: Correctable, text: str) -> None:
    refuse_unstorable(text)
    if one.path == "name":
        if "name" in content:  # a lorebook's file says its name too
            content["name"] = text
    elif kind == Kind.LOREBOOK and one.path.startswith("entries."):
        put_entry_text(content, one, text)
    else:
        put_any_name(content, one, text)


def drop_emptied(kind: str, content: Json, rows: Container[str]) -> bool:
    """Entries of lore, and members of a cast, that somebody has emptied to the last text go; whether any did.

    `rows`: those that were just corrected. Of a lorebook others go only if they are as they were added: some programs
    part a book by entries that have settings, and no text that a page shows. Raises Refused.
    """
    before = _count_rows(kind, content)
    if kind == Kind.SCENARIO:
        drop_blank_rows(content)
    elif kind == Kind.LOREBOOK:
        _drop_emptied_entries(content, rows)
    return _count_rows(kind, content) < before


def add_one(kind: str, content: Json, what: str) -> None:
    """One more, to be written, at the end: an entry of a book; or of a scenario's lore or cast, as `what` says.

    Raises Refused, CardRefused.
    """
    if kind == Kind.LOREBOOK:
        _refuse_full(len(list_entries(content)), limits.LORE_ENTRIES, "entries")
    elif kind == Kind.SCENARIO and what in ADDED:
        _refuse_full(len(content[what]), MOST_ROWS[what], ADDED[what])
    if kind == Kind.LOREBOOK:
        content["entries"] = [*list_entries(content), dict(BLANK_ENTRY)]
    elif kind == Kind.SCENARIO and what == "lore":
        content["lore"].append(asdict(LoreEntry(name="", keys=(), content="")))
    elif kind == Kind.SCENARIO and what == "cast":
        content["cast"].append(asdict(CastMember(name="")))
        if len(content["roles"]) == len(content["cast"]) - 1:
            content["roles"].append(asdict(Role(name="", line="")))


def _refuse_full(count: int, most: int, things: str) -> None:
    if count >= most:
        raise Refused(FULL.format(most, things))


def _count_rows(kind: str, content: Json) -> int:
    if kind == Kind.LOREBOOK:
        return len(list_entries(content))
    return sum(len(content.get(name, ())) for name in ("cast", "lore"))


def _drop_emptied_entries(content: Json, rows: Container[str]) -> None:
    content["entries"] = [
        entry
        for number, entry in enumerate(list_entries(content))
        if (f"entries.{number}" not in rows and entry != BLANK_ENTRY)
        or any(text.text.strip() for text in texts_of_entry("", entry))
    ]
