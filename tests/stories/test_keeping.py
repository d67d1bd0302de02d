"""A story's opening that is kept for other stories says there what it said here: it was read for macros already."""

from __future__ import annotations

import pytest
from django.test import Client

from mindstage.accounts.models import User
from mindstage.library.contents import Kind
from mindstage.library.materials import make_material
from mindstage.library.models import Material
from mindstage.stories.models import Story, Turn
from mindstage.vault.purposes import Purpose
from people import signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in_client(ada)


def begin(client: Client, scenario: Material, persona: str) -> Story:
    client.post("/stories/", {"own_scenario": str(scenario.pk), "greeting": "0", "persona": persona})
    return Story.objects.latest("id")


def opening_of(story: Story) -> Turn:
    return Turn.objects.get(story=story, position=0)


@pytest.mark.parametrize(
    "words",
    [
        "The sign says {{user}}, and below: {{char}}.",
        r"It says \{\{user\}\} in the margin, and {{random:a,b}}.",
        "<USER> was scratched out; {{if x}}nobody{{/if}} knows {{roll:d6}}.",
    ],
)
@pytest.mark.parametrize("persona", ["", "Mara"])
def test_what_was_written_in_a_story_is_no_macro_in_the_next_one(
    client: Client, ada: User, words: str, persona: str
) -> None:
    """Whoever wrote it, a person or a model; only the name that was played under is another one."""
    scenario = make_material(owner=ada.pk, kind=Kind.SCENARIO, name="The pier")
    story = begin(client, scenario, persona)
    opening_of(story).seal(text=f"Mara waits. {words}").save(update_fields=["text"])
    client.post(f"/stories/{story.pk}/scenario/")
    other = begin(client, Material.objects.latest("id"), "Bo")
    said = opening_of(other).open("text", Purpose.SHOW)
    assert said == f"{'Bo' if persona else 'Mara'} waits. {words}"
    client.post(f"/stories/{other.pk}/scenario/")
    third = begin(client, Material.objects.latest("id"), "Bo")
    assert opening_of(third).open("text", Purpose.SHOW) == said


def test_an_opening_that_tells_of_braces_is_read_once(client: Client, ada: User) -> None:
    r"""`\{\{` in an author's opening is a literal `{{` in the story, and stays one in what is kept of it."""
    content = {"openings": [r"{{user}} writes \{\{user\}\}."], "premise": "", "byline": "", "cast": [], "roles": []}
    more = {"lore": [], "source": "", "persona": "", "about": ""}
    story = begin(client, make_material(owner=ada.pk, kind="scenario", name="Braces", content=content | more), "Mara")
    assert opening_of(story).open("text", Purpose.SHOW) == "Mara writes {{user}}."
    client.post(f"/stories/{story.pk}/scenario/")
    other = begin(client, Material.objects.latest("id"), "Bo")
    assert opening_of(other).open("text", Purpose.SHOW) == "Bo writes {{user}}."
