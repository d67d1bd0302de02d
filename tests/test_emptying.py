"""After a test that commits, every table is empty: of few rows and of many, whatever they refer to."""

from __future__ import annotations

import os

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections

from instances import found_instance
from people import make_person
from stories.scenes import make_story

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]


def rows() -> int:
    return sum(model._default_manager.count() for model in apps.get_models())


def empty() -> None:
    for alias in connections:
        call_command("flush", verbosity=0, interactive=False, database=alias, reset_sequences=False)


@pytest.mark.parametrize("turns", [2, 700], ids=["few", "many"])
def test_nothing_is_left(turns: int) -> None:
    """Neither of the rows nor of those that refer to them, in both databases."""
    make_story(make_person(), turns=turns)
    assert rows() > turns
    empty()
    assert rows() == 0
    empty()


@pytest.mark.skipif("TEST_POSTGRES" not in os.environ, reason="is done on PostgreSQL alone")
def test_little_is_deleted_and_much_is_truncated() -> None:
    """Tables without rows cost nothing; more rows than their references are worth looking after go at once."""
    with connections["default"].execute_wrapper(note := Notes()):
        make_story(make_person(), turns=2)
        empty()
        few, note.said = note.said, []
        found_instance()
        make_story(make_person(), turns=700)
        empty()
    deleted = [sql for sql in few if sql.startswith("DELETE")]
    assert 0 < len(deleted) < 20
    assert not [sql for sql in few if sql.startswith("TRUNCATE")]
    assert [sql for sql in note.said if sql.startswith("TRUNCATE")]


class Notes:
    """Every statement on its way to a database."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        self.said.append(sql)
        return execute(sql, params, many, context)
