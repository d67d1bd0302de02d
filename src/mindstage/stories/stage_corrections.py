"""Correct in place what a story began with: its premise, its cast, its lore. The next prompt is told what stands then.

The stage was copied into the story when it began, so that no correction of a character or a scenario changes a story
that is being played; and so it is here that a story's own copy is put right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import transaction

from mindstage.kit import canonical
from mindstage.library.correctable import Correctable, fit_a_form, pick_changes, put_text, texts_of
from mindstage.stories.models import Story
from mindstage.stories.refusals import Refused, Unstorable
from mindstage.stories.stage import Stage
from mindstage.vault.purposes import Purpose

WORLD: Final[Mapping[str, str]] = {"premise": "Premise", "byline": "Line under the title"}
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
ALWAYS: Final = frozenset({"premise", "name", "description", "personality", "line", "keys", "content"})
"""Shown also where nothing stands yet."""
NAME_CHARACTERS: Final = 200
STAGE_BYTES: Final = 3_000_000
"""A card may hold 2 MB of text; what a form adds to it at once is less than one."""
NAMELESS: Final = "A character needs a name, on one line of at most 200 characters. Nothing was changed."
TOO_LONG: Final = "All of this together is longer than a story can hold. Nothing was changed; please shorten it."


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together on the page. `kind`: world, cast or lore; `name` is empty where there is none."""

    kind: str
    name: str
    fields: list[Correctable]


def list_stage(story: Story) -> tuple[list[Group], int]:
    """What can be corrected in a story's stage, and how many texts more a form cannot hold. Raises KeyGone."""
    groups = list(_groups(_open(story)))
    fitting, more = fit_a_form(one for group in groups for one in group.fields if _is_shown(one))
    shown = {one.path for one in fitting}
    fields = [[one for one in group.fields if one.path in shown] for group in groups]
    return [replace(group, fields=some) for group, some in zip(groups, fields, strict=True) if some], more


def correct_stage(*, story: Story, texts: Mapping[str, str], seen: Mapping[str, str]) -> None:
    """Write the texts (path -> text) of a stage anew; `seen`: the marks of what the page showed.

    Raises Refused, Meanwhile, with nothing changed; KeyGone.
    """
    with transaction.atomic():
        row = Story.objects.select_for_update().get(pk=story.pk)
        raw = _open(row)
        changes = pick_changes([one for group in _groups(raw) for one in group.fields], texts, seen)
        for one, text in changes:
            _put(raw, one, _check(one, text))
        if changes:
            row.seal(stage=_pack(raw)).save(update_fields=["stage"])


def _open(story: Story) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(story.open_bytes("stage", Purpose.SHOW))
    return raw


def _groups(raw: dict[str, Any]) -> Iterator[Group]:
    yield Group("world", "", [text for name, label in WORLD.items() for text in texts_of(name, label, raw.get(name))])
    roles = dict(enumerate(raw["roles"]))
    for number, member in enumerate(raw["cast"]):
        role = roles.pop(number, {}) if _names_its_role(raw, number) else {}
        fields = [*_of_row(f"roles.{number}", ROLE, role), *_of_row(f"cast.{number}", CAST, member)]
        yield Group("cast", member["name"], fields)
    for number, role in roles.items():
        yield Group("cast", role["name"], list(_of_row(f"roles.{number}", ROLE, role)))
    for number, entry in enumerate(raw["lore"]):
        yield Group("lore", entry["name"], list(_of_row(f"lore.{number}", LORE, entry)))


def _of_row(path: str, labels: Mapping[str, str], row: dict[str, Any]) -> Iterator[Correctable]:
    for name, label in labels.items():
        yield from texts_of(f"{path}.{name}", label, row.get(name))


def _names_its_role(raw: dict[str, Any], number: int) -> bool:
    """Whether the page's list of the cast has a member at its own place."""
    roles = raw["roles"]
    return number < len(roles) and roles[number]["name"] == raw["cast"][number]["name"]


def _is_shown(one: Correctable) -> bool:
    return bool(one.text) or one.path.rpartition(".")[2] in ALWAYS


def _check(one: Correctable, text: str) -> str:
    """Raises Refused."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Unstorable
    if not _is_name(one.path):
        return text
    name = " ".join(text.split())
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise Refused(NAMELESS)
    return name


def _put(raw: dict[str, Any], one: Correctable, text: str) -> None:
    """A member whose name is corrected has the new one in the page's list of the cast too."""
    number = int(one.path.split(".")[1]) if _is_name(one.path) else -1
    if number >= 0 and _names_its_role(raw, number):
        raw["roles"][number]["name"] = text
    put_text(raw, one, text)


def _is_name(path: str) -> bool:
    return path.startswith("cast.") and path.endswith(".name")


def _pack(raw: dict[str, Any]) -> bytes:
    content = canonical.to_bytes(raw)
    if len(content) > STAGE_BYTES:
        raise Refused(TOO_LONG)
    Stage.from_bytes(content)  # what could not be read again is not written
    return content
