"""An import comes in whole or not at all, wherever it is cut off, and a second attempt brings everything once."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from django.db import DatabaseError

from library import card_makers as make
from mindstage.accounts.handles import tag_of_account
from mindstage.accounts.models import User
from mindstage.library.characters import import_character, list_characters
from mindstage.library.models import Character
from mindstage.rights.export_models import KeptFile
from mindstage.rights.importing import bring_archive
from mindstage.rights.trash import list_trash
from mindstage.stories.models import Draft, Segment, Story, Turn
from mindstage.stories.trash import trash_story
from mindstage.vault.keys import forget_keys
from mindstage.vault.models import ItemKey
from mindstage.vault.start_check import Mode, check_start
from people import make_person
from rights.erasures import pass_nights
from rights.reaper import Killed, Reaper, killing
from rights.takeouts import empty_exports, rezip, take_out, unzip
from rights.test_erasure_sigkill import lives_through
from stories.scenes import make_story

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"], transaction=True)]

MODELS = (Character, Story, Segment, Turn, Draft, KeptFile)
WHOLE = (1, 2, 2, 4, 1, 2)


@pytest.fixture
def archive(vault: None) -> Iterator[bytes]:
    """Of somebody who has left since: a character, two stories, one of them in the trash, a draft, two kept files."""
    ada = make_person("ada")
    import_character(owner=ada.pk, data=make.to_json(make.v3()))
    Draft(story=make_story(ada, turns=3), mode="say").seal(text="And then").save(force_insert=True)
    trash_story(story=make_story(ada, turns=1))
    KeptFile(owner=ada).seal(path="old.txt", content=b"kept before").save(force_insert=True)
    content = rezip(unzip(take_out(ada)) | {"new.txt": b"known to nobody"})
    for model in (*reversed(MODELS), User):
        model.objects.all().delete()
    ItemKey.objects.using("keystore").all().delete()
    forget_keys()
    yield content
    empty_exports()


def bring(person: User, content: bytes) -> list[str]:
    return bring_archive(owner=person.pk, file=io.BytesIO(content)).sentences


def rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in MODELS)  # type: ignore[attr-defined]


def seen(person: User) -> tuple[int, ...]:
    """What the person meets: in the library, among the stories, in the trash, in an export."""
    played = Story.objects.filter(owner=person, trashed_on=None)
    found = (len(list_characters(person.pk)), played.count(), len(list_trash(person.pk)))
    return (*found, KeptFile.objects.filter(owner=person).count())


def written(person: User) -> int:
    return sum(name.startswith(("stories/", "characters/", "kept/")) for name in unzip(take_out(person)))


@pytest.mark.drill
def test_killed_at_every_write_it_left_nothing_to_see(archive: bytes) -> None:
    """No page and no export shows a part; a second attempt brings each thing once and reports; two nights clear up."""
    at, whole = 0, False
    while not whole:
        at += 1
        ben = make_person(f"ben {at}")
        whole = lives_through(lambda ben=ben: bring(ben, archive) and None, at)  # type: ignore[misc]
        assert check_start(handle_of=tag_of_account).mode is Mode.OPEN
        if whole:
            break
        if seen(ben) != (1, 1, 1, 2):  # the last writes come after everything is shown
            assert (seen(ben), written(ben)) == ((0, 0, 0, 0), 0)
            assert "1 character, 4 turns, 1 draft, 2 stories, 1 kept file." in bring(ben, archive)[0]
        assert seen(ben) == (1, 1, 1, 2)
        pass_nights(2, turning=False)
        assert rows() == WHOLE
        for model in (*reversed(MODELS), User):
            model.objects.all().delete()
    assert at > 15
    assert rows() == WHOLE


def test_what_fails_half_way_is_taken_back_at_once(archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and keys are gone when the sentence is said."""
    for at in range(2, 14, 3):
        ben = make_person(f"ben {at}")
        with pytest.raises(Killed), killing(Reaper(at), monkeypatch):
            bring(ben, archive)
        assert rows() == (0, 0, 0, 0, 0, 0)
        assert not ItemKey.objects.using("keystore").exists()


def test_a_night_leaves_an_import_alone_that_is_at_work(archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night falls into the middle of it, and the import goes on."""
    from mindstage.stories import bringing

    write = bringing._bring_rows

    def at_night(*given: object) -> None:
        write(*given)  # type: ignore[arg-type]
        if not nights:
            nights.append(pass_nights(1))

    nights: list[None] = []
    monkeypatch.setattr(bringing, "_bring_rows", at_night)
    bring(make_person("ben"), archive)
    assert (rows(), nights) == (WHOLE, [None])


def test_a_frozen_account_shows_nothing_that_was_on_its_way(archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen while an archive came in: it is taken back as a whole."""
    from mindstage.rights import importing
    from mindstage.vault.keys import KeyGone

    seal, ben = importing._seal_rest, make_person("ben")

    def freeze(*given: object) -> list[KeptFile]:
        User.objects.filter(pk=ben.pk).update(state=User.State.FROZEN)
        return seal(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(importing, "_seal_rest", freeze)
    with pytest.raises(KeyGone):
        bring(ben, archive)
    assert rows() == (0, 0, 0, 0, 0, 0)


def test_what_cannot_be_taken_back_is_ended_by_a_night(archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away also when it is tidied up: nothing shows, and two nights later nothing is left."""
    from mindstage.rights import importing

    def away(*_: object, **__: object) -> None:
        raise DatabaseError

    ben = make_person("ben")
    with monkeypatch.context() as patch:
        patch.setattr(importing, "finish_arrivals", away)
        patch.setattr(importing, "undo_arrivals", away)
        with pytest.raises(DatabaseError):
            bring(ben, archive)
    assert seen(ben) == (0, 0, 0, 0)
    pass_nights(1)
    assert Story.objects.count() == 2
    pass_nights(1)
    assert rows() == (0, 0, 0, 0, 0, 0)
    assert not ItemKey.objects.using("keystore").exists()
