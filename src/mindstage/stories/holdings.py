"""What this room holds of a person: stories, their turns and drafts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

from mindstage.datamap.holdings import Cleared, Finding, Rearmed
from mindstage.datamap.porting import Pack, Pieces, Report, words_of
from mindstage.stories import bringing
from mindstage.stories.clearing import clear_stories, clear_turn
from mindstage.stories.editions import chat, data
from mindstage.stories.editions.epub import to_epub
from mindstage.stories.editions.html import to_html
from mindstage.stories.editions.markdown import to_markdown
from mindstage.stories.editions.opening import Opened, open_story
from mindstage.stories.models import Draft, Segment, Story, Turn
from mindstage.stories.trash import keep_part, rearm_stories, thaw_stories
from mindstage.vault.keys import KeyGone
from mindstage.vault.sealing import Unreadable


class StoriesHolding:
    """Stories: exported whole and in four editions, deleted in batches."""

    name = "stories"

    def subjects(self) -> Iterator[uuid.UUID]:
        yield from Story.objects.values_list("pk", flat=True).iterator()
        yield from Turn.objects.values_list("pk", flat=True).iterator()

    def weigh(self, person: uuid.UUID) -> int:
        return Story.objects.filter(owner=person, ending=False).count()

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:
        idents = list(Story.objects.filter(owner=person).order_by("id").values_list("pk", flat=True))
        for number, ident in enumerate(idents, start=1):
            row = Story.objects.filter(pk=ident, ending=False).first()
            if row is not None:
                yield from _export_story(row, number)

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        return clear_stories(Story.objects.filter(owner=person))

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:
        return clear_stories(Story.objects.filter(pk=item)) + clear_turn(item)

    def keep(self, subject: uuid.UUID) -> None:
        keep_part(subject)

    def thaw(self, person: uuid.UUID) -> None:
        thaw_stories(person)

    def rearm(self, day: date) -> list[Rearmed]:
        return rearm_stories(day)

    def remains(self, person: uuid.UUID) -> list[Finding]:
        counts = {
            "stories": Story.objects.filter(owner=person).count(),
            "segments": Segment.objects.filter(story__owner=person).count(),
            "turns": Turn.objects.filter(story__owner=person).count(),
            "drafts": Draft.objects.filter(story__owner=person).count(),
        }
        return [Finding(f"database:default {table}", count) for table, count in counts.items() if count]

    def check(self, pack: Pack) -> None:
        bringing.check_stories(pack)

    def bring(self, person: uuid.UUID, pack: Pack, report: Report) -> None:
        bringing.bring_stories(person, pack, report)


def _export_story(row: Story, number: int) -> Iterator[tuple[str, Any]]:
    try:
        story = open_story(row)
    except (KeyGone, Unreadable):
        yield f"stories/{number:04}/story.json", data.to_lost_head(row)
        return
    folder = f"stories/{number:04}{words_of(story.title)}"
    yield f"{folder}/story.json", data.to_head(story)
    for part, content in enumerate(data.to_parts(story.id), start=1):
        yield f"{folder}/turns-{part:04}.json", content
    yield from _editions(story, folder)


def _editions(story: Opened, folder: str) -> Iterator[tuple[str, Pieces]]:
    yield f"{folder}/story.md", Pieces(to_markdown(story))
    yield f"{folder}/story.html", Pieces(to_html(story))
    yield f"{folder}/story.epub", Pieces(to_epub(story))
    leaves = chat.list_leaves(story)
    first = chat.chat_name(story, 1, leaves[0]) if leaves else ""
    for number, leaf in enumerate(leaves, start=1):
        name = chat.chat_name(story, number, leaf)
        yield f"{folder}/chats/{name}", Pieces(chat.to_chat(story, leaf, main_chat=first if number > 1 else ""))
