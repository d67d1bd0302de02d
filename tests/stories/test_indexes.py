"""What a turn costs to write: each index is a page more in every commit that adds a row."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection, models


def test_no_index_of_a_story_is_the_beginning_of_another() -> None:
    """A reference gets an index by itself; where a longer one begins with it, that serves both."""
    doubled = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_app_config("stories").get_models()
        for field in model._meta.local_fields
        if field.db_index and not field.unique and field.name in _firsts(model)
    ]
    assert doubled == []


REFERENCES = (["owner_id"], ["story_id"], ["segment_id"])


@pytest.mark.django_db
@pytest.mark.parametrize(("table", "left"), [("story", set()), ("turn", {"running_replies"}), ("draft", set())])
def test_the_database_keeps_none_of_them_either(table: str, left: set[str]) -> None:
    """They were dropped by the names that Django gives: what was called otherwise would be left, and slow each turn."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, f"stories_{table}")
    assert found
    alone = {name for name, one in found.items() if one["index"] and one["columns"] in REFERENCES and not one["unique"]}
    assert alone == left


def _firsts(model: type[models.Model]) -> set[str]:
    """The columns with which an index of all rows begins, besides the fields' own."""
    of_all = [index for index in model._meta.indexes if index.condition is None]
    unique = [
        one
        for one in model._meta.constraints
        if isinstance(one, models.UniqueConstraint) and one.condition is None and one.fields
    ]
    return {one.fields[0].removeprefix("-") for one in [*of_all, *unique]}
