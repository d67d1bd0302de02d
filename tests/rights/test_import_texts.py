"""Texts of an archive that no instance could have written, in any of its places."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from library import card_makers as make
from mindstage.datamap.porting import NotUnderstood
from mindstage.library.characters import import_character
from mindstage.library.models import Character
from mindstage.rights import export
from mindstage.rights.importing import bring_archive
from mindstage.stories import bringing
from mindstage.stories.drafts import save_draft
from mindstage.stories.models import Story, Turn
from mindstage.vault.models import ItemKey
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client
from rights.takeouts import resign, take_out, unzip
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])

_people = iter(range(1_000))
HALF, NUL = "half \ud800 of it", "a\x00b"


@pytest.fixture
def files(vault: None) -> Iterator[dict[str, bytes]]:
    """Ada's archive: a story with a draft, and a character."""
    ada = make_person("ada")
    save_draft(story=make_story(ada, turns=3), mode="do", text="I wait.")
    import_character(owner=ada.pk, data=make.to_json(make.v3()))
    yield unzip(take_out(ada))
    for path in export.folder().glob("*"):
        path.unlink()


def change(files: dict[str, bytes], ending: str, place: tuple[str | int, ...], text: Any) -> bytes:
    """The archive with another text at one place of one file, signed by whoever wrote it."""
    (name,) = [name for name in files if name.endswith(ending)]
    content = json.loads(files[name])
    holder: Any = content
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = text
    return resign(files | {name: json.dumps(content).encode()})


@pytest.mark.parametrize(
    ("ending", "place", "text"),
    [
        ("/story.json", ("title",), HALF),
        ("/story.json", ("stage", "persona"), HALF),
        ("/story.json", ("drafts", 0, "text"), HALF),
        ("/turns-0001.json", ("turns", 1, "text"), HALF),
        ("/character.json", ("report",), [HALF]),
        ("/story.json", ("route",), NUL),
        ("/story.json", ("drafts", 0, "mode"), NUL),
        ("/turns-0001.json", ("turns", 1, "problem"), NUL),
        ("/story.json", ("head",), []),
        ("/story.json", ("head",), {}),
        ("/story.json", ("segments", 0, "parent"), ["x"]),
        ("/story.json", ("played_at",), "0001-01-01T00:00:00+23:59"),
        ("/story.json", ("played_at",), "9999-12-31T23:59:59-23:59"),
        ("/turns-0001.json", ("turns", 1, "trashed_at"), "0001-01-01T00:00:00+23:59"),
    ],
)
def test_what_cannot_be_stored_is_refused(
    files: dict[str, bytes], ending: str, place: tuple[str | int, ...], text: Any
) -> None:
    """In words, and nothing is left of it: no row, and no key."""
    ben = make_person("ben")
    with pytest.raises(NotUnderstood) as refused:
        bring_archive(owner=ben.pk, file=io.BytesIO(change(files, ending, place, text)))
    assert "othing was brought in" in refused.value.sentence
    assert not Story.objects.filter(owner=ben).exists()
    assert not Character.objects.filter(owner=ben).exists()
    assert not ItemKey.objects.using("keystore").filter(owner=ben.pk).exists()


def refused(files: dict[str, bytes], ending: str, place: tuple[str | int, ...], value: Any) -> str:
    ben = make_person(f"ben{next(_people)}")
    with pytest.raises(NotUnderstood) as said:
        bring_archive(owner=ben.pk, file=io.BytesIO(change(files, ending, place, value)))
    assert not Story.objects.filter(owner=ben).exists()
    return said.value.sentence


def test_no_place_of_a_story_is_told_twice(files: dict[str, bytes]) -> None:
    """A turn twice, two turns the wrong way round, two shown versions of one place: no story, and no fault either."""
    one, two, three = json.loads(next(value for name, value in files.items() if "/turns-" in name))["turns"]
    other = two | {"id": three["id"], "variant": 1}
    for turns in ([one, one, two], [two, one, three], [one, two, other, three]):
        assert "is not what it should be" in refused(files, "/turns-0001.json", ("turns",), turns)
    brought = change(files, "/turns-0001.json", ("turns",), [one, two, other | {"chosen": False}, three])
    bring_archive(owner=make_person("cleo").pk, file=io.BytesIO(brought))


@pytest.mark.parametrize(
    ("limit", "ending", "place", "edge", "beyond"),
    [
        ("MOST_CHARACTERS", "/turns-0001.json", ("turns", 0, "text"), "x" * 90, "x" * 91),
        ("MOST_SEGMENTS", "/story.json", ("title",), None, "Any"),
    ],
)
def test_a_story_has_an_end(
    files: dict[str, bytes], limit: str, ending: str, place: tuple[str | int, ...], edge: Any, beyond: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Of each text, and of its branches: what is within is taken, and what is one more is not."""
    monkeypatch.setattr(bringing, limit, 90 if edge else 0)
    if edge:
        bring_archive(owner=make_person("cleo").pk, file=io.BytesIO(change(files, ending, place, edge)))
    assert "is not what it should be" in refused(files, ending, place, beyond)


def test_signs_beyond_the_first_plane_come_in_however_they_are_written(files: dict[str, bytes]) -> None:
    """Another program may escape one as two halves: together they are a whole sign."""
    ben = make_person("ben")
    archive = change(files, "/turns-0001.json", ("turns", 1, "text"), "a lamp: \U0001f3ee")
    assert b"\\ud83c\\udfee" in b"".join(unzip(archive).values())
    bring_archive(owner=ben.pk, file=io.BytesIO(archive))
    texts = [turn.open("text", Purpose.SHOW) for turn in Turn.objects.filter(story__owner=ben)]
    assert "a lamp: \U0001f3ee" in texts


def test_the_page_says_so(files: dict[str, bytes]) -> None:
    """A refusal, not a fault of the program."""
    archive = SimpleUploadedFile("export.zip", change(files, "/story.json", ("title",), HALF))
    answer = signed_in_client(make_person("ben")).post("/your-data/imports/", {"archive": archive})
    assert (answer.status_code, b"half of a sign" in answer.content) == (422, True)
