"""The trash of turns: the versions of one place lie there together, are taken back together and end together.

A turn has no key of its own: its rows go, and copies of it end with the backups that hold them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, date

from django.db.models import Q, QuerySet

from mindstage.accounts.endings import begin_end, end_turns
from mindstage.accounts.freezing import frozen_accounts
from mindstage.datamap.trash import Lying
from mindstage.stories.form_turns import forget_words
from mindstage.stories.models import Story, Turn
from mindstage.stories.refusals import KeyLost
from mindstage.stories.trash import last_backup, start_of, take_out_turn
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

SHOWN = 80
"""Characters of a turn by which its author knows it again."""


class TurnsTrash:
    """Turns, for the page of the trash and for the night. A part is one version."""

    name = "turns"

    def count(self, owner: uuid.UUID) -> int:
        return _lying_of(owner).values("segment", "position").distinct().count()

    def lying(self, owner: uuid.UUID, *, most: int) -> list[Lying]:
        rows = _lying_of(owner).order_by("-trashed_at", "segment_id", "position", "-chosen")
        first_of_each: dict[tuple[uuid.UUID, int], uuid.UUID] = {}
        for turn, segment, position in rows.values_list("pk", "segment_id", "position").iterator():
            first_of_each.setdefault((segment, position), turn)
            if len(first_of_each) == most:
                break
        shown, until = list(first_of_each.values()), last_backup()
        found = Turn.objects.select_related("story").in_bulk(shown)
        return [_to_lying(found[turn], until) for turn in shown if turn in found]

    def parts(self, item: uuid.UUID, *, owner: uuid.UUID) -> list[uuid.UUID]:
        turn = _lying_of(owner).filter(pk=item).first()
        if turn is None:
            return []
        versions = _lying_of(owner).filter(segment=turn.segment_id, position=turn.position)
        return list(versions.values_list("pk", flat=True))

    def take_out(self, parts: Iterable[uuid.UUID]) -> bool:
        return all(take_out_turn(part) for part in parts)

    def due(self, up_to: date) -> list[uuid.UUID]:
        return list(Turn.objects.filter(_is_due(up_to)).values_list("pk", flat=True))

    def begin_end(self, parts: Iterable[uuid.UUID], *, up_to: date | None = None) -> list[uuid.UUID]:
        lying = Turn.objects.filter(trashed_at__isnull=False)
        return begin_end(lying, _with_versions(parts), due=None if up_to is None else _is_due(up_to))

    def end(self, parts: Iterable[uuid.UUID]) -> None:
        turns = list(parts)
        owners = set(Turn.objects.filter(pk__in=turns).values_list("story__owner", flat=True))
        end_turns(*turns)
        forget_words(owners)


def _lying_of(owner: uuid.UUID) -> QuerySet[Turn]:
    """Those of a story that lies there itself come and go with it."""
    return Turn.objects.filter(story__owner=owner, story__trashed_on=None, trashed_at__isnull=False, ending=False)


def _with_versions(parts: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """All versions of turns: a night's batch may hold some of a turn, and they end together."""
    places = set(Turn.objects.filter(pk__in=list(parts)).values_list("segment", "position"))
    segments, positions = {segment for segment, _ in places}, {position for _, position in places}
    near = Turn.objects.filter(segment__in=segments, position__in=positions)
    return [pk for pk, *place in near.values_list("pk", "segment", "position") if tuple(place) in places]


def _is_due(up_to: date) -> Q:
    frozen = Story.objects.filter(owner__in=frozen_accounts())
    return Q(trashed_at__lt=start_of(up_to, days=1)) & ~Q(story__in=frozen) | Q(ending=True)


def _to_lying(row: Turn, until: date) -> Lying:
    assert row.trashed_at is not None
    try:
        story, text = row.story.open("title", Purpose.SHOW), " ".join(row.open("text", Purpose.SHOW).split())
    except (KeyGone, Unreadable):
        story, text = "", KeyLost.sentence
    words = f"a turn of “{story}”" if story else "a turn"
    title = text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()}…"
    day = f"{until:%d %B %Y}".lstrip("0")
    after = f"It has no key of its own: deleted now, sealed copies of it stay in backups until {day}."
    return Lying(row.pk, words, title or "(no words)", row.trashed_at.astimezone(UTC).date(), after)
