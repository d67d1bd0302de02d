"""What a turn costs to write: each index is a page more in every commit that adds a row."""

from __future__ import annotations

from django.apps import apps
from django.db import models


def test_no_index_of_a_story_is_the_beginning_of_another() -> None:
    """A reference gets an index by itself; where a longer one begins with it, that serves both."""
    doubled = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_app_config("stories").get_models()
        for field in model._meta.local_fields
        if field.db_index and not field.unique and field.name in _firsts(model)
    ]
    assert doubled == []


def _firsts(model: type[models.Model]) -> set[str]:
    """The columns with which an index of all rows begins, besides the fields' own."""
    of_all = [index for index in model._meta.indexes if index.condition is None]
    unique = [
        one
        for one in model._meta.constraints
        if isinstance(one, models.UniqueConstraint) and one.condition is None and one.fields
    ]
    return {one.fields[0].removeprefix("-") for one in [*of_all, *unique]}
