"""Reading a character card: which kind it is, and its fields.

Formats: character-card-spec-v2 (V1 and V2) by malfoyslastname, character-card-spec-v3 by kwaroran, and the older
Pygmalion JSON. Nothing in a card is fetched, run or rendered here; all of it is kept.
"""

from __future__ import annotations

import json
import math
from typing import Any

from mindstage.library.cards import limits
from mindstage.library.cards.card import Card, Spec
from mindstage.library.cards.containers import open_container
from mindstage.library.cards.fields import Fields
from mindstage.library.cards.lore import read_lore
from mindstage.library.cards.refusal import refusal

_SPECS: dict[str, tuple[Spec, float]] = {"chara_card_v3": ("v3", 3.0), "chara_card_v2": ("v2", 2.0)}
_NAMELESS = "Unnamed"

_PLAIN_FIELDS = {"name", "description", "personality", "scenario", "first_mes", "mes_example"}
_V2_FIELDS = _PLAIN_FIELDS | {
    "creator_notes", "system_prompt", "post_history_instructions", "alternate_greetings", "character_book", "tags",
    "creator", "character_version", "extensions",
}  # fmt: skip
_V3_FIELDS = _V2_FIELDS | {
    "assets", "nickname", "creator_notes_multilingual", "source", "group_only_greetings", "creation_date",
    "modification_date",
}  # fmt: skip


def read_card(data: bytes, *, filename_hint: str = "") -> Card:
    """Read the card in the bytes of a PNG, APNG or JSON file. `filename_hint` only sharpens a refusal.

    Raises CardRefused, and nothing else, for every file that is no card, is damaged or is over a limit (`limits`).
    """
    notices: list[str] = []
    raw, picture = open_container(data, filename_hint=filename_hint, notices=notices)
    return _read(raw, picture, notices)


def reread_card(content: bytes) -> Card:
    """Read a card again from the JSON of its `raw`, as it was kept. It was measured when it came and is trusted since.

    Raises CardRefused only where this program has become stricter than the one that took the card.
    """
    return _read(json.loads(content), None, [])


def _read(raw: dict[str, Any], picture: bytes | None, notices: list[str]) -> Card:
    spec, values = _detect(raw, notices)
    read = _read_pygmalion if spec == "pygmalion" else _read_fields
    return read(spec=spec, fields=Fields(values, notices), raw=raw, picture=picture)


def _detect(raw: dict[str, Any], notices: list[str]) -> tuple[Spec, dict[str, Any]]:
    """The kind of the card and the object that holds its fields."""
    declared = raw.get("spec")
    if isinstance(declared, str) and declared in _SPECS:
        spec, version = _SPECS[declared]
        _compare_version(raw, version, notices)
        return spec, _data_of(raw)
    if declared == "lorebook_v3":
        raise refusal("This is a lorebook, not a character card.", "Choose a character card.")
    if "char_name" in raw:
        return "pygmalion", raw
    if "mes_example" in raw:
        return "v1", raw
    missing = "spec" if isinstance(raw.get("data"), dict) else "mes_example"
    raise refusal(f"This JSON is not a character card: its field “{missing}” is missing or unknown.")


def _compare_version(raw: dict[str, Any], known: float, notices: list[str]) -> None:
    """Versions compare as numbers. A newer one is read as far as it is known; it is never a reason to refuse."""
    written = Fields(raw, notices).loose_text("spec_version")
    try:
        version = float(written[:20])
    except ValueError:
        version = math.nan
    if version > known:
        notices.append(
            f"The card follows a newer version of its format than {known}; what is new is kept but not used."
        )
    elif version != known:
        notices.append("The card’s “spec_version” is missing or odd; it was read all the same.")


def _data_of(raw: dict[str, Any]) -> dict[str, Any]:
    if raw.get("data") is None:
        raise refusal("The card’s field “data” is missing.")
    return Fields(raw, []).mapping("data")


def _read_pygmalion(*, spec: Spec, fields: Fields, raw: dict[str, Any], picture: bytes | None) -> Card:
    greeting = fields.owed_text("char_greeting")
    return Card(
        spec=spec,
        name=_name(fields, "char_name"),
        description=fields.owed_text("char_persona"),
        scenario=fields.owed_text("world_scenario"),
        greetings=(greeting,) if greeting.strip() else (),
        example_dialogue=fields.owed_text("example_dialogue"),
        raw=raw,
        notices=tuple(fields.notices),
        picture=picture,
    )


def _read_fields(*, spec: Spec, fields: Fields, raw: dict[str, Any], picture: bytes | None) -> Card:
    """A V1, V2 or V3 card. A V1 card knows only six fields; whatever else stands in it was meant by nobody."""
    if spec == "v1":
        known = {name: value for name, value in fields.values.items() if name in _PLAIN_FIELDS}
        fields = Fields(known, fields.notices)
    greetings = (fields.owed_text("first_mes"), *fields.texts("alternate_greetings"))
    return Card(
        spec=spec,
        name=_name(fields, "name"),
        nickname=_one_line(fields.text("nickname", most=limits.NAME_CHARACTERS)),
        description=fields.owed_text("description"),
        personality=fields.owed_text("personality"),
        scenario=fields.owed_text("scenario"),
        greetings=_spoken(greetings),
        group_greetings=_spoken(fields.texts("group_only_greetings")),
        example_dialogue=fields.owed_text("mes_example"),
        system_prompt=fields.text("system_prompt"),
        post_history_instructions=fields.text("post_history_instructions"),
        creator=fields.text("creator"),
        creator_notes=fields.text("creator_notes"),
        translated_notes=_translated(fields.values.get("creator_notes_multilingual")) if spec == "v3" else {},
        character_version=fields.loose_text("character_version"),
        tags=fields.tags(),
        lore=read_lore(fields.mapping("character_book"), fields.notices),
        extensions=fields.mapping("extensions"),
        raw=raw,
        notices=_report(spec, fields, raw),
        picture=picture,
    )


def _translated(notes: Any) -> dict[str, str]:
    """Notes by their language's code. What is none is kept in the card and passed over here: it refuses no card."""
    if not isinstance(notes, dict):
        return {}
    return {code.lower(): text for code, text in notes.items() if isinstance(text, str) and text.strip()}


def _name(fields: Fields, field: str) -> str:
    """The name, on one line. A card without one takes its nickname, or a stand-in: `{{char}}` must be somebody."""
    name = _one_line(fields.owed_text(field, most=limits.NAME_CHARACTERS))
    if name:
        return name
    fields.notices.append("The card gives its character no name.")
    return _one_line(fields.text("nickname", most=limits.NAME_CHARACTERS)) or _NAMELESS


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _spoken(greetings: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(greeting for greeting in greetings if greeting.strip())


def _report(spec: Spec, fields: Fields, raw: dict[str, Any]) -> tuple[str, ...]:
    """The notices so far, and what was kept although nothing here uses it yet."""
    values, notices = fields.values, fields.notices
    if not _spoken((fields.text("first_mes"), *fields.texts("alternate_greetings"))):
        notices.append("The card has no greeting; its stories open plainly, and the first real words are yours.")
    if values.get("group_only_greetings"):
        notices.append("Its greetings for groups are kept but not used yet.")
    if values.get("assets"):
        notices.append("Its list of pictures and other files is kept. Nothing in it was fetched.")
    if values.get("extensions"):
        notices.append("Settings of other programs (extensions) are kept and not used.")
    source = raw if spec == "v1" else values
    if source.keys() - (_V3_FIELDS if spec == "v3" else _V2_FIELDS if spec == "v2" else _PLAIN_FIELDS):
        notices.append("Fields that its format does not know are kept and not used.")
    return tuple(notices)
