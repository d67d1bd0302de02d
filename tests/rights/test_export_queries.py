"""What tracing does not see: SQLite's own memory. A query of an export that sorts a story holds it whole."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mindstage.rights.packing import list_files
from people import make_person
from stories.scenes import fork, make_story

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(databases=["default", "keystore"])]


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        return "\n".join(str(row[3]) for row in cursor.fetchall())


def test_no_query_sorts_the_turns_of_a_story(vault: None) -> None:
    """Turns are read in the order of an index, and nothing is grouped over them. Segments, which are few, may be."""
    ada = make_person("ada")
    story = make_story(ada, turns=40)
    assert story.head is not None
    fork(story, parent=story.head, at=10, count=3)
    with CaptureQueriesContext(connection) as asked:
        for _ in list_files(ada.pk):
            pass
    about_turns = {query["sql"] for query in asked.captured_queries if "stories_turn" in query["sql"]}
    assert about_turns
    for sql in about_turns:
        plan = plan_of(sql)
        sorts = "TEMP B-TREE" if "stories_turn" in plan.split("\n")[0] else "TEMP B-TREE FOR (GROUP|DISTINCT)"
        assert not re.search(f"{sorts}|SCAN stories_turn", plan), (sql[:300], plan)
