"""The handle names the account: it goes into no story and no prompt unless its owner writes it there."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from mindstage.library.starters import starters
from mindstage.stories.models import Story, Turn
from mindstage.stories.reading import open_stage
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]
HANDLE = "Zylophrenia"
CARD = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {"name": "Ilse", "first_mes": "Good evening, {{user}}.", "scenario": "{{user}} waits."},
}


def begin(**form: str) -> str:
    """Begin a story under no name; all that its narrator could be told."""
    client = signed_in_client(make_person(HANDLE))
    if "character" in form:
        from django.core.files.uploadedfile import SimpleUploadedFile

        card = SimpleUploadedFile("card.json", json.dumps(CARD).encode())
        form["character"] = client.post("/characters/", {"card": card}).headers["Location"].split("/")[2]
        assert (
            HANDLE not in client.get(reverse("character", args=[form["character"]])).content.decode().split("<main")[1]
        )
    assert client.post("/stories/", {"greeting": "0", **form}).status_code == 302
    story, opening = Story.objects.get(), Turn.objects.get()
    assert open_stage(story).persona == "You"
    return story.open_bytes("stage", Purpose.NARRATE).decode() + opening.open("text", Purpose.NARRATE)


def test_a_scenario_is_begun_without_the_handle() -> None:
    """Whoever leaves the name empty plays as "You"."""
    assert HANDLE not in begin(scenario=starters()[0].slug)


def test_a_character_is_met_without_the_handle() -> None:
    """Nor does a card's `{{user}}` become the handle."""
    told = begin(character="")
    assert HANDLE not in told
    assert "Good evening, You." in told
