"""What is chosen beside a scenario, whatever it holds: no more than a story's own page of corrections takes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from django.test import Client

from mindstage.accounts.models import User
from mindstage.kit import canonical
from mindstage.library import choosing
from mindstage.library.contents import BLANK
from mindstage.library.materials import make_material
from mindstage.library.trash import trash_item
from mindstage.prompts.inputs import CastMember
from mindstage.stories.models import Story, Turn
from mindstage.stories.reading import open_stage
from mindstage.streaming.raw import Refused
from mindstage.vault.purposes import Purpose
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
    mara = make_material(owner=ada.pk, kind="persona", name="Mara", content={"about": "x" * 690_000})
    cast = [asdict(CastMember(name="Bo", description="y" * 690_000)) for _ in range(3)]
    ferry = BLANK["scenario"] | {"premise": "y" * 690_000, "cast": cast}
    scenario = make_material(owner=ada.pk, kind="scenario", name="The Ferry", content=ferry)
    answer = client.post("/stories/", {"own_scenario": str(scenario.pk), "greeting": "0", "as": str(mara.pk)})
    assert (answer.status_code, Story.objects.count()) == (400, 0)
    assert "longer than a story can hold" in answer.content.decode()


def test_a_lorebook_that_is_no_longer_read_begins_no_story(client: Client, ada: User) -> None:
    """This program has become stricter than the one that took it: a sentence, not a broken page."""
    book = make_material(owner=ada.pk, kind="lorebook", name="Lamps")
    book.seal(content=canonical.to_bytes({"entries": 3})).save(update_fields=["content"])
    answer = client.post("/stories/", {"scenario": "dead-cable", "greeting": "0", "books": str(book.pk)})
    assert (answer.status_code, Story.objects.count()) == (410, 0)


def test_a_long_scenario_holds_no_page_up(client: Client, ada: User) -> None:
    """Its page shows beginnings; a story that begins with it gets every word."""
    long = {"premise": "*a* " * 170_000 + "end of it", "openings": ["*b* " * 500] * 1_000}
    row = make_material(owner=ada.pk, kind="scenario", name="The Ferry", content=BLANK["scenario"] | long)
    assert len(client.get(f"/scenarios/{row.pk}/").content) < 2_000_000
    client.post("/stories/", {"own_scenario": str(row.pk), "greeting": "999"})
    story = Story.objects.get()
    assert open_stage(story).premise.endswith("end of it")
    assert len(Turn.objects.get(story=story).open("text", Purpose.SHOW)) == 4 * 500 - 1


@pytest.mark.parametrize("rows", ["openings", "cast", "roles", "lore"])
def test_a_scenario_has_no_more_rows_than_any_page_shows(client: Client, ada: User, rows: str) -> None:
    """Not even out of an archive that somebody else has made."""
    row = {"openings": "x", "cast": {"name": "Bo"}, "roles": {"name": "Bo", "line": ""}}
    one = row.get(rows, {"name": "", "keys": [], "content": ""})
    with pytest.raises(Refused):
        make_material(owner=ada.pk, kind="scenario", name="S", content=BLANK["scenario"] | {rows: [one] * 5_001})


def test_the_page_of_a_story_offers_nothing_of_anybody_else(client: Client, ada: User) -> None:
    """Nor what lies in the trash, nor another kind in the place of one."""
    ben = make_person("ben")
    for owner, name in ((ada.pk, "Ada"), (ben.pk, "Ben")):
        for kind in ("persona", "lorebook", "scenario"):
            make_material(owner=owner, kind=kind, name=f"{name}’s {kind}")
            trash_item(make_material(owner=owner, kind=kind, name=f"{name}’s old {kind}"))
    offered = client.get("/scenarios/dead-cable/").context
    assert [line.name for line in offered["personas"].lines] == ["Ada’s persona"]
    assert [line.name for line in offered["lorebooks"].lines] == ["Ada’s lorebook"]
    for kind in ("persona", "lorebook", "scenario"):
        lines = client.get(f"/{kind}s/").context["lines"]
        assert [line.name for line, *_ in lines] == [f"Ada’s {kind}"]
