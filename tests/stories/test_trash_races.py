"""Of an undo and an end for good only one wins, by one conditional UPDATE, and both tell the truth about it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from library import card_makers as make
from mindstage.accounts.endings import keep
from mindstage.datamap.trash import Trash, register_trash
from mindstage.library.characters import import_character
from mindstage.library.models import Character
from mindstage.library.trash import CharactersTrash, trash_item
from mindstage.rights.trash import end_due, list_trash
from mindstage.stories import revisions
from mindstage.stories.models import Story, Turn
from mindstage.stories.refusals import NotYours
from mindstage.stories.revisions import add_version, trash_turn, untrash_turn
from mindstage.stories.trash import StoriesTrash, trash_story
from mindstage.stories.turn_trash import TurnsTrash
from mindstage.vault.clocks import turn_night
from people import signed_in_client
from stories.scenes import Player, last_reply, make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])

type Act = Callable[[Trash, list[uuid.UUID]], object]
KINDS = {"a story": StoriesTrash, "a turn": TurnsTrash, "a character": CharactersTrash}


@pytest.fixture
def meanwhile() -> Iterator[Callable[[type, Act], None]]:
    """Somebody acts between the look at what lies in the trash and its way back."""

    def register(kind: type, act: Act) -> None:
        class Meanwhile(kind):  # type: ignore[misc]
            def parts(self, item: uuid.UUID, *, owner: uuid.UUID) -> list[uuid.UUID]:
                found: list[uuid.UUID] = super().parts(item, owner=owner)
                if found:
                    act(self, found)
                return found

        register_trash(Meanwhile())

    yield register
    for kind in KINDS.values():
        register_trash(kind())


def put_into_trash(kind: str, player: Player) -> uuid.UUID:
    """One of its kind; of a turn, one with two versions."""
    if kind == "a character":
        character = import_character(owner=player.account.pk, data=make.to_json(make.v2()))
        trash_item(character)
        return character.pk
    story = make_story(player.account, turns=5)
    if kind == "a story":
        trash_story(story=story)
        return story.pk
    turn = add_version(turn=last_reply(story), text="Another way to say it.")
    trash_turn(turn=turn)
    return turn.pk


def still_there(item: uuid.UUID) -> bool:
    return any(model.objects.filter(pk=item).exists() for model in (Story, Turn, Character))  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_an_undo_that_loses_to_the_night_says_so(
    kind: str, player: Player, meanwhile: Callable[[type, Act], None]
) -> None:
    """Its end began a moment before: nothing is said to be back, and the night finishes it."""
    item, client = put_into_trash(kind, player), signed_in_client(player.account)
    meanwhile(KINDS[kind], lambda trash, found: trash.begin_end(found))
    answer = client.post(f"/trash/{item}/undo/", follow=True)
    assert "It is back" not in answer.content.decode()
    assert "could not be taken back" in answer.content.decode()
    assert end_due() > 0
    assert not still_there(item)
    assert list_trash(player.account.pk) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_undo_that_was_done_by_another_page_is_true_as_well(
    kind: str, player: Player, meanwhile: Callable[[type, Act], None]
) -> None:
    """Two clicks, or another process that carried out this one's entry of the ledger: it is back, and so it is said."""
    item, client = put_into_trash(kind, player), signed_in_client(player.account)
    meanwhile(KINDS[kind], lambda trash, found: keep(*found))
    answer = client.post(f"/trash/{item}/undo/", follow=True)
    assert "It is back" in answer.content.decode()
    for _ in range(31):
        turn_night()
    assert end_due() == 0
    assert still_there(item)


def test_an_undo_in_the_story_that_loses_says_so(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same from the page of the story: no turn is shown as if it had come back."""
    turn = Turn.objects.get(pk=put_into_trash("a turn", player))
    monkeypatch.setattr(revisions, "count_try", lambda *_: TurnsTrash().begin_end([turn.pk]))
    with pytest.raises(NotYours) as refused:
        untrash_turn(turn=turn)
    assert "no longer be taken back" in refused.value.sentence
    path = f"/stories/{turn.story_id}/turns/{turn.pk}/trash/undo/"
    assert signed_in_client(player.account).post(path).status_code == 404
    assert end_due() == 2


def test_versions_of_a_turn_end_and_come_back_together(player: Player) -> None:
    """Whichever of them a night's batch or an entry of the ledger names."""
    turn = Turn.objects.get(pk=put_into_trash("a turn", player))
    one, other = Turn.objects.filter(segment=turn.segment_id, position=turn.position).values_list("pk", flat=True)
    keep(one)
    assert not Turn.objects.filter(pk=other, trashed_at__isnull=False).exists()
    trash_turn(turn=turn)
    assert set(TurnsTrash().begin_end([other])) == {one, other}
    keep(one)
    assert end_due() == 2
