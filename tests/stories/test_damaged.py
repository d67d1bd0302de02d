"""A sealed text that was changed or moved is not shown as something else: it says what is wrong."""

from __future__ import annotations

import pytest
from django.test import Client

from mindstage.stories.models import Story, Turn
from mindstage.stories.refusals import TextDamaged
from mindstage.vault.keys import destroy_item_key
from mindstage.vault.sealing import Sealed
from people import make_person, signed_in_client
from stories.scenes import make_story

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


def test_two_rows_that_change_places_are_both_unreadable() -> None:
    """Swapping the sealed texts of two turns shows neither, and the page says so."""
    ada = make_person("ada")
    story = make_story(ada, turns=3)
    first, second = Turn.objects.filter(story=story, position__in=(1, 2)).order_by("position")
    first.text, second.text = second.text, first.text
    Turn.objects.bulk_update([first, second], ["text"])
    answer = signed_in_client(ada).get(f"/stories/{story.pk}/")
    assert answer.status_code == TextDamaged.status
    assert "does not open" in answer.content.decode()


def test_a_changed_byte_is_said_to_our_script_too() -> None:
    ada = make_person("ada")
    story = make_story(ada, turns=2)
    turn = Turn.objects.get(story=story, position=1)
    turn.text = Sealed(turn.text[:-1] + bytes([turn.text[-1] ^ 1]))
    turn.save(update_fields=["text"])
    answer = signed_in_client(ada).get(f"/stories/{story.pk}/turns/{turn.pk}/", headers={"X-Partial": "1"})
    assert answer.json() == {"say": TextDamaged.sentence}


def two_stories() -> tuple[Client, Story, Story]:
    ada = make_person("ada")
    return signed_in_client(ada), make_story(ada, turns=3), make_story(ada, turns=3)


def test_a_story_whose_key_is_gone_keeps_its_place_and_can_be_deleted() -> None:
    """The list says so; the desk shows those that can be played; the others are there as before."""
    client, lost, whole = two_stories()
    destroy_item_key(lost.pk)
    page = client.get("/stories/").content.decode()
    assert "One of these stories can’t be opened any more" in page
    assert f"/stories/{whole.pk}/" in page
    assert f'href="/stories/{lost.pk}/"' not in page
    desk = client.get("/").content.decode()
    assert f"/stories/{whole.pk}/" in desk
    assert str(lost.pk) not in desk
    assert client.post(f"/stories/{lost.pk}/trash/").status_code == 302
    assert "can’t be opened" not in client.get("/stories/").content.decode()


def test_a_story_with_a_damaged_turn_is_listed_by_its_title() -> None:
    """Its last words are left out there; its own page says which turn does not open."""
    client, damaged, _ = two_stories()
    turn = Turn.objects.get(story=damaged, position=2)
    turn.text = Sealed(turn.text[:-1] + bytes([turn.text[-1] ^ 1]))
    turn.save(update_fields=["text"])
    page = client.get("/stories/").content.decode()
    assert f'href="/stories/{damaged.pk}/"' in page
    assert "can’t be opened" not in page
