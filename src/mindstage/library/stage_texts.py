"""The texts of a stage that people correct: of a story's own copy, and of a scenario that is kept for later stories.

A stage is a JSON object with `premise`, `byline`, `about`, `roles`, `cast` and `lore`; a scenario has `openings` too.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mindstage.library.correctable import ROOM, Correctable, Group, put_text, size_of, texts_of
from mindstage.streaming.raw import Refused

WORLD: Final[Mapping[str, str]] = {
    "premise": "Premise", "openings": "Opening", "byline": "Line under the title", "about": "Whom you play",
}  # fmt: skip
ROLE: Final[Mapping[str, str]] = {"line": "Line in the list of the cast"}
CAST: Final[Mapping[str, str]] = {
    "name": "Name", "nickname": "Nickname", "description": "Description", "personality": "Personality",
    "scenario": "Scenario", "example_dialogue": "Example dialogue", "system_prompt": "Instructions",
    "post_history_instructions": "Instructions after the story", "depth_prompt": "Note beside the newest turns",
    "version": "Version", "greetings": "Greeting",
}  # fmt: skip
LORE: Final[Mapping[str, str]] = {
    "name": "Name", "keys": "Words that call it up", "secondary_keys": "Further words", "content": "Text",
}  # fmt: skip
ALWAYS: Final = frozenset(
    {"premise", "byline", "about", "name", "description", "personality", "line", "keys", "content"}
)
"""Shown also where nothing stands yet."""
NAME_CHARACTERS: Final = 200
NAMELESS: Final = "A character needs a name, on one line of at most 200 characters. Nothing was changed."

LONGER_THAN_A_FORM: Final = "One of these texts is longer than a page can take. Nothing was changed; please shorten it."


class Unstorable(Refused):
    sentence = "This text holds characters that are no text (broken or null characters). Remove them and try again."


def offered(groups: Sequence[Group], typed: Container[str] = ()) -> list[Group]:
    """The groups with the fields that a page shows: of what nothing stands anywhere only the usual ones.

    `typed`: paths that somebody has words for; they are shown in any case.
    """
    fields = [[one for one in group.fields if _is_shown(one) or one.path in typed] for group in groups]
    return [replace(group, fields=some) for group, some in zip(groups, fields, strict=True) if some]


def walk_stage(raw: dict[str, Any]) -> Iterator[Group]:
    """Every text of a stage, in the order of the page."""
    yield Group("world", "", [text for name, label in WORLD.items() for text in texts_of(name, label, raw.get(name))])
    roles = dict(enumerate(raw["roles"]))
    for number, member in enumerate(raw["cast"]):
        role = roles.pop(number, {}) if _names_its_role(raw, number) else {}
        name, *others = texts_of_row(f"cast.{number}", CAST, member)
        yield Group("cast", member["name"], [name, *texts_of_row(f"roles.{number}", ROLE, role), *others])
    for number, role in roles.items():
        yield Group("cast", role["name"], list(texts_of_row(f"roles.{number}", ROLE, role)))
    for number, entry in enumerate(raw["lore"]):
        yield Group("lore", entry["name"], list(texts_of_row(f"lore.{number}", LORE, entry)))


def texts_of_row(path: str, labels: Mapping[str, str], row: dict[str, Any]) -> Iterator[Correctable]:
    """The texts of one of the cast, or of one entry of lore."""
    for name, label in labels.items():
        yield from texts_of(f"{path}.{name}", label, row.get(name))


def _names_its_role(raw: dict[str, Any], number: int) -> bool:
    """Whether the page's list of the cast has a member at its own place."""
    roles = raw["roles"]
    return number < len(roles) and roles[number]["name"] == raw["cast"][number]["name"]


def _is_shown(one: Correctable) -> bool:
    return bool(one.text) or one.path.rpartition(".")[2] in ALWAYS or one.path == "openings.0"


def refuse_unstorable(text: str) -> None:
    """What no form could show again is not stored either: it could never be corrected. Raises Refused."""
    if len(text) > ROOM // 4 and size_of(text) > ROOM:
        raise Refused(LONGER_THAN_A_FORM)
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Unstorable


def check_text(one: Correctable, text: str) -> str:
    """The text as it may be stored. Raises Refused."""
    refuse_unstorable(text)
    if not _is_name(one.path):
        return text
    return _check_member(text)


def _check_member(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise Refused(NAMELESS)
    return name


def put_stage_text(raw: dict[str, Any], one: Correctable, text: str) -> None:
    """A member whose name is corrected has the new one in the page's list of the cast too."""
    number = int(one.path.split(".")[1]) if _is_name(one.path) else -1
    if number >= 0 and _names_its_role(raw, number):
        raw["roles"][number]["name"] = text
    put_text(raw, one, text)


def put_any_name(raw: dict[str, Any], one: Correctable, text: str) -> None:
    """As `put_stage_text`, of a text that is not checked yet; a member may lose its name, on the way out."""
    put_stage_text(raw, one, text if _is_name(one.path) and not text.strip() else check_text(one, text))


def drop_blank_rows(raw: dict[str, Any]) -> None:
    """Members of the cast and entries of lore without any text go. Raises Refused where only the name is gone."""
    for number in reversed(range(len(raw["cast"]))):
        member, known = raw["cast"][number], _names_its_role(raw, number)
        role = raw["roles"][number] if known else {}
        if any(one.text.strip() for one in [*texts_of_row("", CAST, member), *texts_of_row("", ROLE, role)]):
            if not member["name"].strip():
                raise Refused(NAMELESS)
            continue
        del raw["cast"][number]
        if known:
            del raw["roles"][number]
    raw["lore"] = [entry for entry in raw["lore"] if any(one.text.strip() for one in texts_of_row("", LORE, entry))]


def _is_name(path: str) -> bool:
    return path.startswith("cast.") and path.endswith(".name")
