"""Bring characters in from an export: each card is read as strictly as when it is dropped on the page."""

from __future__ import annotations

import io
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from PIL import Image

from mindstage.accounts.arrivals import begin_arrival, save_arrival
from mindstage.datamap.porting import NotUnderstood, Pack, Report, fresh_id
from mindstage.kit import canonical, ids
from mindstage.library.cards import Card, CardRefused, read_card
from mindstage.library.characters import line_of
from mindstage.library.models import Character
from mindstage.library.portraits import MOST_BYTES, SIZE

CHARACTER = "mindstage-character-1"
MOST_SENTENCES = 200
_PAINTING = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
_KNOWN = {"format", "id", "imported_on", "report", "portrait", "trashed_on"}


@dataclass(frozen=True, slots=True)
class _Checked:
    """A character's files, read. `content` is the card's JSON as it is kept."""

    name: str
    facts: dict[str, Any]
    card: Card
    content: bytes
    portrait: bytes | None
    files: frozenset[str]


def check_characters(pack: Pack) -> None:
    """Read every character. Raises NotUnderstood."""
    for _ in _characters(pack):
        pass


def bring_characters(person: uuid.UUID, pack: Pack, report: Report) -> None:
    """Write what `check_characters` has read. Raises KeyGone."""
    for checked in _characters(pack):
        if isinstance(checked, str):
            report.read.add(checked)
            report.not_understood[f"{checked}: its key was gone where it came from, so there is no card."] += 1
            continue
        report.read |= checked.files
        _bring(person, checked, report)
        report.look_for_unknown(checked.name, checked.facts, _KNOWN)


def _characters(pack: Pack) -> Iterator[_Checked | str]:
    """Each character, or only its file's name where its key was gone."""
    names = {name for name in pack.names() if name.startswith("characters/")}
    for name in sorted(names):
        if name.endswith("/character.json"):
            facts = pack.json(name)
            if not isinstance(facts, dict) or facts.get("format") != CHARACTER or not isinstance(facts.get("id"), str):
                raise _wrong(name)
            yield name if facts.get("unreadable") is True else _read(pack, name, facts, names)


def _read(pack: Pack, name: str, facts: dict[str, Any], names: set[str]) -> _Checked:
    folder = name.removesuffix("character.json")
    report, day = facts.get("report"), facts.get("imported_on")
    if not isinstance(report, list) or len(report) > MOST_SENTENCES or not all(isinstance(one, str) for one in report):
        raise _wrong(name)
    if not isinstance(day, str) or _day(day) is None or f"{folder}card.json" not in names:
        raise _wrong(name)
    try:
        card = read_card(pack.content(f"{folder}card.json"), filename_hint="card.json")
    except CardRefused as refused:
        raise NotUnderstood(f"{folder}card.json: {refused.sentence}") from None
    portrait = None
    files = {name, f"{folder}card.json"}
    if facts.get("portrait") is True:
        files.add(f"{folder}portrait.webp")
        portrait = pack.content(f"{folder}portrait.webp")
        if not is_bare_portrait(portrait):
            raise _wrong(f"{folder}portrait.webp")
    return _Checked(name, facts, card, canonical.to_bytes(card.raw), portrait, frozenset(files))


def is_bare_portrait(picture: bytes) -> bool:
    """Whether this is a small WebP that paints and does nothing else: no EXIF, no XMP, no profile, no animation."""
    if len(picture) > MOST_BYTES or picture[:4] != b"RIFF" or picture[8:12] != b"WEBP":
        return False
    at = 12
    while at + 8 <= len(picture):
        kind, length = struct.unpack_from("<4sI", picture, at)
        if kind not in _PAINTING:
            return False
        at += 8 + length + length % 2
    return at == len(picture) and _opens(picture)


def _opens(picture: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(picture), formats=["WEBP"]) as opened:
            if opened.width > SIZE[0] or opened.height > SIZE[1]:
                return False
            opened.load()
    except Exception:  # whatever a decoder says of a broken picture, it is one
        return False
    return True


def _wrong(name: str) -> NotUnderstood:
    return NotUnderstood(f"The archive’s file {name} is not what it should be, so nothing was brought in.")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _bring(person: uuid.UUID, checked: _Checked, report: Report) -> None:
    character = Character(pk=fresh_id(checked.facts["id"], ids.sequential()), owner_id=person)
    begin_arrival(character, person=person, report=report)
    character.imported_on = date.fromisoformat(checked.facts["imported_on"])
    character.seal(name=checked.card.name, line=line_of(checked.card), card=checked.content)
    character.seal(report=canonical.to_bytes(checked.facts["report"]))
    if checked.portrait is not None:
        character.seal(portrait=checked.portrait)
    lay_in_trash = checked.facts.get("trashed_on") is not None
    save_arrival(character, person=person, lay_in_trash=lay_in_trash, report=report)
    try:
        report.renamed[uuid.UUID(checked.facts["id"])] = character.pk
    except ValueError:
        pass
    report.came_in["characters"] += 1
