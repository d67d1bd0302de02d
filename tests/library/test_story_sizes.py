"""What is chosen beside a scenario, whatever it holds: no more than a story's own page of corrections takes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from mindstage.accounts.models import User
from mindstage.kit import canonical
from mindstage.library import choosing
from mindstage.library.contents import BLANK
from mindstage.library.materials import make_material
from mindstage.stories.models import Story
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


@pytest.fixture
def ada() -> User:
    return make_person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([{"keys": ["y" * 90_000], "content": ""}] * 20, id="long keys"),
        pytest.param([{"secondary_keys": ["y" * 90_000], "content": "x"}] * 20, id="further keys"),
        pytest.param([{"keys": [], "content": ""}] * 5_000, id="very many"),
    ],
)
def test_lore_is_bounded_whatever_it_is_made_of(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch, entries: list[Any]
) -> None:
    """Not only its texts count: of many large books no more is read than a story could hold, and one beyond it."""
    content = {"entries": entries}
    books = [make_material(owner=ada.pk, kind="lorebook", name="Lamps", content=content) for _ in range(8)]
    read, lore_of = [], choosing.lore_of
    monkeypatch.setattr(choosing, "lore_of", lambda row: read.append(row) or lore_of(row))
    form = {"scenario": "dead-cable", "greeting": "0", "books": [str(book.pk) for book in books]}
    assert client.post("/stories/", form).status_code == 400
    assert not Story.objects.exists()
    assert len(read) <= 5


def test_a_story_is_never_longer_than_can_be_corrected(client: Client, ada: User) -> None:
    """A long persona on a long scenario, without any lorebook: refused, with nothing begun."""
    mara = make_material(owner=ada.pk, kind="persona", name="Mara", content={"about": "x" * 2_900_000})
    ferry = BLANK["scenario"] | {"premise": "y" * 900_000}
    scenario = make_material(owner=ada.pk, kind="scenario", name="The Ferry", content=ferry)
    answer = client.post("/stories/", {"own_scenario": str(scenario.pk), "greeting": "0", "as": str(mara.pk)})
    assert (answer.status_code, Story.objects.count()) == (400, 0)
    assert "longer than a story can hold" in answer.content.decode()


def test_a_lorebook_that_is_no_longer_read_begins_no_story(client: Client, ada: User) -> None:
    """This program has become stricter than the one that took it: a sentence, not a broken page."""
    book = make_material(owner=ada.pk, kind="lorebook", name="Lamps")
    book.seal(content=canonical.to_bytes({"entries": 3})).save(update_fields=["content"])
    answer = client.post("/stories/", {"scenario": "dead-cable", "greeting": "0", "books": str(book.pk)})
    assert (answer.status_code, Story.objects.count()) == (400, 0)
