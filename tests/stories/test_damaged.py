"""A sealed text that was changed or moved is not shown as something else: it says what is wrong."""

from __future__ import annotations

import pytest

from mindstage.stories.models import Turn
from mindstage.stories.refusals import TextDamaged
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
