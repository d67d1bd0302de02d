"""Bring a character, list one's own, open one."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from mindstage.accounts.models import User
from mindstage.kit import canonical, ids
from mindstage.library.cards import Card, read_card, reread_card
from mindstage.library.models import Character
from mindstage.library.portraits import NoPortrait, draw_portrait
from mindstage.ui import prose
from mindstage.vault.keys import KeyGone, create_item_key
from mindstage.vault.marks import mark_database
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

PAGE = 60
LONGEST_LINE = 140
_MARKUP = re.compile(r"<[^<>]{0,300}>|!?\[[^\[\]]{0,100}\]\([^()\s]{0,300}\)")


@dataclass(frozen=True, slots=True)
class CharacterLine:
    """One character in a list. `name` is None where it cannot be opened any more.

    `line` is a few words about it, or "". `has_portrait`: its card came with a picture.
    """

    id: uuid.UUID
    name: str | None = field(repr=False)
    line: str = field(repr=False, default="")
    has_portrait: bool = False

    @property
    def made_at(self) -> datetime | None:
        """When it was brought: what tells two of one name apart."""
        return ids.made_at(self.id)


def import_character(*, owner: uuid.UUID, data: bytes, filename_hint: str = "") -> Character:
    """Read a card and keep it as a character of `owner` (an account's id). The same card again is another character.

    Everything that can be wrong with the file is found before the first write. Raises CardRefused; KeyGone when the
    account is no longer active.
    """
    card = read_card(data, filename_hint=filename_hint)
    portrait, report = _take_picture(card)
    content = canonical.to_bytes(card.raw)
    character = Character(owner_id=owner)
    create_item_key(character.pk, owner=owner)
    character.seal(name=card.name, line=line_of(card), card=content)
    character.seal(report=canonical.to_bytes([*_told_once(card, content), *report]))
    if portrait is not None:
        character.seal(portrait=portrait)
    with transaction.atomic():
        if not User.objects.select_for_update().filter(pk=owner, state=User.State.ACTIVE).exists():
            raise KeyGone
        character.save(force_insert=True)
        mark_database()
    return character


def list_characters(owner: uuid.UUID, *, before: uuid.UUID | None = None) -> list[CharacterLine]:
    """The characters of one person, the newest first, PAGE at most; with `before`, those older than that one."""
    rows = Character.objects.filter(owner=owner, trashed_on=None).only("id", "name", "line").order_by("-id")
    rows = rows.annotate(has_portrait=Q(portrait__isnull=False))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_open_line(row) for row in rows[:PAGE]]


def find_character(owner: uuid.UUID, ident: uuid.UUID) -> Character | None:
    """A character of that person, or None: another's is as if it did not exist."""
    return Character.objects.filter(pk=ident, owner=owner, trashed_on=None).first()


def open_card(character: Character, purpose: Purpose) -> Card:
    """The character's card, read again from what was kept. Raises KeyGone, CardRefused."""
    return reread_card(character.open_bytes("card", purpose))


def open_report(character: Character) -> list[str]:
    """What its import had to say besides the card's own notices. Raises KeyGone."""
    said: list[str] = json.loads(character.open_bytes("report", Purpose.SHOW))
    return said


def line_of(card: Card) -> str:
    """A few words for people, from what the card's maker says of it; never from what is meant for the narrator."""
    notes = prose.plain(_MARKUP.sub(" ", card.creator_notes[:2_000]))
    line = notes or " · ".join(card.tags[:5]) or (f"By {card.creator}" if card.creator else "")
    line = " ".join(line.split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1].rstrip()}…"


def _take_picture(card: Card) -> tuple[bytes | None, list[str]]:
    if card.picture is None:
        return None, []
    try:
        return draw_portrait(card.picture), []
    except NoPortrait as reason:
        return None, [reason.sentence]


def _told_once(card: Card, content: bytes) -> list[str]:
    """Notices about the file that the card came in. Reading the card again also proves that it can be."""
    again = reread_card(content).notices
    return [notice for notice in card.notices if notice not in again]


def _open_line(row: Character) -> CharacterLine:
    try:
        name, line = row.open("name", Purpose.SHOW), row.open("line", Purpose.SHOW)
        return CharacterLine(row.pk, name, line, has_portrait=getattr(row, "has_portrait", False))
    except (KeyGone, Unreadable):
        return CharacterLine(row.pk, None)
