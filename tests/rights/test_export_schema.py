"""The schema that stands in every archive describes its data files to the last key, and leaves no column out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from mindstage.accounts.models import User
from mindstage.datamap.reading import data_map
from mindstage.library.models import Character, Material
from mindstage.rights.packing import schema
from mindstage.stories.models import Draft, Segment, Story, Turn
from mindstage.vault.keys import destroy_item_key
from people import make_person
from rights.lives import LIVES, Life, live
from rights.takeouts import empty_exports, take_out, unzip
from schemas import misfits, open_objects
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])

DOCS = Path(__file__).parents[2] / "docs"
_people = iter(range(1_000_000))

SAID_OTHERWISE = {
    "owner": "the archive is one person's",
    "story": "turns stand in parts that name their story; segments and drafts inside it",
    "ending": "what is being ended is not exported",
    "name": "derived from the card",
    "line": "derived from the card",
    "card": "a file of its own",
    "password": "a check of a secret",
    "handle_tag": "a keyed hash of the handle",
    "removals": "a number that open pages are bound to",
    "log_outs": "a number that half-done log-ins are bound to",
}
"""Columns that no key of the schema has by their name -> why."""


def described(files: dict[str, bytes]) -> Iterator[str]:
    """The misfits of all data files of an archive. Files of other rooms' own forms are passed over."""
    forms = json.loads(files["schema.json"])["$defs"]
    editions = {line["path"] for line in json.loads(files["manifest.json"])["files"] if line["edition"]}
    for name, content in files.items():
        if name in editions or not name.endswith(".json") or name.endswith("/card.json"):
            continue
        value = json.loads(content)
        form = {"manifest.json": "manifest", "signature.json": "signature"}.get(name)
        if form is None and "format" in value:
            form = value["format"].removeprefix("mindstage-").removesuffix("-1")
        if form is not None:
            yield from misfits(forms[form], value, name)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(life=LIVES)
def test_every_data_file_fits(vault: None, life: Life) -> None:
    """For generated accounts."""
    person = make_person(f"person{next(_people)}")
    live(person, life)
    assert list(described(unzip(take_out(person)))) == []
    empty_exports()


def test_an_unreadable_story_fits_too(vault: None) -> None:
    """What can be said of it is described as well."""
    person = make_person("ada")
    destroy_item_key(make_story(person).pk)
    assert list(described(unzip(take_out(person)))) == []


def test_a_wrong_file_does_not_fit() -> None:
    """The checker sees a key too many, one too few, and a wrong type."""
    forms = json.loads(schema())["$defs"]
    good = {"format": "mindstage-kept-1", "path": "a", "kept_on": "2026-01-01", "content": ""}
    assert not list(misfits(forms["kept"], good))
    for wrong in (good | {"more": 1}, {"format": "mindstage-kept-1"}, good | {"path": 3}, good | {"format": "x"}):
        assert list(misfits(forms["kept"], wrong))


def test_no_form_takes_an_unknown_key() -> None:
    """Each object of the schema names all of its keys, so that a file with one more does not fit."""
    assert list(open_objects(json.loads(schema())["$defs"])) == []


def test_no_column_is_left_out() -> None:
    """Each column of story, turn, draft, segment, character and account is a key of the schema, or has a reason."""
    forms = json.loads(schema())["$defs"]
    story = forms["story"]["properties"]
    places = {
        Turn: forms["turns"]["properties"]["turns"]["items"]["properties"],
        Story: story,
        Segment: story["segments"]["items"]["properties"],
        Draft: story["drafts"]["items"]["properties"] | {"id": "no page shows it"},
        Character: forms["character"]["properties"],
        Material: forms["material"]["properties"],
        User: forms["account"]["properties"],
    }
    declared = data_map().places()
    for model, keys in places.items():
        for field in model._meta.local_fields:
            assert f"{model._meta.label}.{field.name}" in declared
            assert field.name in keys or field.name in SAID_OTHERWISE, f"{model.__name__}.{field.name} is not exported"


def test_the_documentation_has_the_same_schema() -> None:
    """docs/schemas/export-1.json is the one in the archive."""
    assert (DOCS / "schemas" / "export-1.json").read_bytes() == schema()
