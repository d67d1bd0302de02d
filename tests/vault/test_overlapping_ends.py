"""Two people end something at the same moment: whoever comes first finds the other's entry in the ledger as well."""

from __future__ import annotations

import re

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from mindstage.accounts.endings import end_item
from mindstage.ledger.book import Kind
from mindstage.stories.models import Story, Turn
from mindstage.stories.revisions import trash_turn
from mindstage.stories.trash import trash_story
from mindstage.vault import ending
from mindstage.vault.ending import apply_to_database, apply_to_keystore, record
from mindstage.vault.models import ItemKey
from people import make_person
from stories.scenes import make_story

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]

EVERYTHING = re.compile(r'^SELECT "\w+"\."(id|owner)"( AS "\w+")? FROM "\w+"( ORDER BY .*)?$')
"""A walk through all rows of a table."""


def walks(*contexts: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for asked in contexts for query in asked.captured_queries if EVERYTHING.match(query["sql"])]


@pytest.mark.parametrize("first", [Kind.ITEM, Kind.TURN, Kind.KEEP])
def test_no_end_searches_the_whole_instance_for_anothers(first: Kind) -> None:
    """Ada's entry stands in the ledger, its rows still to be cleared, when Ben's story ends: he clears hers as well."""
    hers, his = (make_story(make_person(name), turns=4) for name in ("ada", "ben"))
    trash_story(story=his)
    turn = Turn.objects.filter(story=hers).latest("position")
    trash_turn(turn=turn)
    chain = record(first, hers.pk if first == Kind.ITEM else turn.pk)
    with CaptureQueriesContext(connection) as asked, CaptureQueriesContext(connections["keystore"]) as keys:
        end_item(his.pk)
    assert walks(asked, keys) == []
    assert not Story.objects.filter(pk=his.pk).exists()
    turn_left = Turn.objects.filter(pk=turn.pk).first()
    if first == Kind.KEEP:
        assert turn_left is not None
        assert turn_left.trashed_at is None
    else:
        assert turn_left is None
    assert ItemKey.objects.using("keystore").filter(pk=hers.pk).exists() == (first != Kind.ITEM)
    assert apply_to_database(chain) == []
    assert not ending._under_way


def test_after_a_crash_it_is_searched() -> None:
    """A start knows nothing of what was under way: the entry alone must do, and one walk finds all that it means."""
    story = make_story(make_person("ada"), turns=3)
    turn = Turn.objects.filter(story=story).latest("position")
    chain = record(Kind.TURN, turn.pk)
    apply_to_keystore(chain, handle_of=lambda _: None)
    with CaptureQueriesContext(connection) as asked:
        apply_to_database(chain)
    assert walks(asked)
    assert not Turn.objects.filter(pk=turn.pk).exists()
