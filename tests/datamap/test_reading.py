"""A data map that is incomplete, or says what is not so, is refused with what to write where."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from mindstage.datamap.reading import SOURCE, Entry, MapFault, data_map, parse, read_source

ENTRY = """
[[entry]]
id = "letter"
title = "Letters"
category = "user.content.private"
purpose = "dpv:ServiceProvision"
basis = "contract"
source = "direct"
stores = ["database:default"]
sealed = "user"
recipients = []
retention_active = "until deleted"
retention_after = "30 days"
export = "json"
erase = "shred"
opened_for = ["show"]
fields = ["post.Letter.text"]
metadata = ["post.Letter.id"]
"""
STORE = '[[store]]\nid = "database:default"\ntitle = "The database"\nholds = "letters"\nends = "with them"\n'
WHOLE = ENTRY + STORE


def without(key: str) -> str:
    return "\n".join(line for line in WHOLE.splitlines() if not line.startswith(f"{key} ="))


def test_a_whole_map_is_read() -> None:
    """Every key comes back under its name, with the defaults of those that may be left out."""
    entry = parse(WHOLE).entries["letter"]
    assert (entry.fields, entry.metadata, entry.opened_for) == (("post.Letter.text",), ("post.Letter.id",), {"show"})
    assert (entry.special_category, entry.children, entry.note) == (False, "as for adults", "")
    assert parse(WHOLE).places() == {"post.Letter.text": "letter", "post.Letter.id": "letter"}


NEEDED = ("title", "category", "purpose", "basis", "source", "stores", "sealed", "export", "erase", "opened_for")


@pytest.mark.parametrize("key", [*NEEDED, "retention_active", "retention_after"])
def test_an_entry_that_lacks_something_is_refused(key: str) -> None:
    """Without its retention, its export rule, its erasure rule or any other key there is no map, and no program."""
    with pytest.raises(MapFault, match="entry letter"):
        parse(without(key))


def test_an_entry_waits_for_a_consent_that_exists() -> None:
    """A use that nobody is asked about cannot be declared as one that waits for a yes."""
    waiting = WHOLE.replace('sealed = "user"', 'sealed = "user"\nconsent = "reading"')
    with pytest.raises(MapFault, match="names the consent reading"):
        parse(waiting)
    asked = '[[consent]]\nid = "reading"\ntitle = "Read"\nasks = "May we?"\npurpose = "dpv:ServiceProvision"\n'
    asked += "default = false\nsignal = false\nadults_only = false\n"
    assert parse(waiting + asked).entries["letter"].consent == "reading"
    with pytest.raises(MapFault, match="consent reading"):
        parse(waiting + asked.replace('asks = "May we?"\n', ""))


@pytest.mark.parametrize("key", ["title", "holds", "ends"])
def test_a_store_that_lacks_something_is_refused(key: str) -> None:
    """A store says what it holds and when that ends."""
    with pytest.raises(MapFault, match="store database:default"):
        parse(ENTRY + "\n".join(line for line in STORE.splitlines() if not line.startswith(key)))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (WHOLE.replace('export = "json"', 'export = ""'), "lacks export"),
        (WHOLE.replace('export = "json"', 'export = "json"\nexprot = "json"'), "unknown exprot"),
        (WHOLE.replace("[[entry]]", "[[entyr]]"), "unknown section: entyr"),
        (
            WHOLE.replace('stores = ["database:default"]', 'stores = ["database:other"]'),
            "database:other is not declared",
        ),
        (WHOLE.replace('stores = ["database:default"]', "stores = []"), "says no store"),
        (WHOLE.replace('erase = "shred"', 'erase = "perhaps"'), "erase begins with none of"),
        (WHOLE.replace('source = "direct"', 'source = "somehow"'), "source is none of"),
        (WHOLE.replace('opened_for = ["show"]', "opened_for = []"), "no purpose may open"),
        (WHOLE.replace('sealed = "user"', 'sealed = "none"'), "says sealed = none"),
        (WHOLE + ENTRY, "entry letter stands twice"),
        (WHOLE + STORE, "store database:default stands twice"),
        (WHOLE + '[impersonal]\n"post.Stamp.colour" = ""\n', "without a reason"),
    ],
)
def test_a_map_that_makes_no_sense_is_refused(changed: str, says: str) -> None:
    """Misspelt keys, unknown stores, things said twice: each is named."""
    with pytest.raises(MapFault, match=says):
        parse(changed)


@pytest.mark.parametrize("place", ["post.Letter.text", "post.Letter.id"])
def test_a_field_that_is_declared_twice_is_refused(place: str) -> None:
    """A field belongs to one entry."""
    with pytest.raises(MapFault, match=f"{place} is declared twice"):
        parse(WHOLE + f'[impersonal]\n"{place}" = "a reason"\n').places()


def test_the_programs_map_is_whole() -> None:
    """The map that ships is read without a fault, and says something under every key."""
    declared = data_map()
    assert {"handle", "story", "character", "draft", "session", "keys"} <= set(declared.entries)
    for entry in declared.entries.values():
        for name in Entry.__dataclass_fields__:
            if name not in ("note", "consent", "recipients", "opened_for", "fields", "metadata", "special_category"):
                assert getattr(entry, name), (entry.id, name)
        if entry.recipients:
            assert declared.doors


def test_what_is_not_exported_says_why() -> None:
    """`export` is a list of formats, or begins with "not exported" and goes on with the reason."""
    for entry in data_map().entries.values():
        if entry.export.startswith("not exported"):
            assert len(entry.export) > 30, entry.id
        else:
            assert any(word in entry.export for word in ("json", "markdown", "card")), entry.id


def test_every_key_of_the_file_is_documented() -> None:
    """docs/subsystems/data-map.md explains each key that the file uses."""
    guide = (SOURCE.parents[3] / "docs" / "subsystems" / "data-map.md").read_text()
    content: dict[str, Any] = tomllib.loads(read_source())
    keys = {key for section in ("entry", "store", "door") for item in content[section] for key in item}
    assert [key for key in sorted(keys) if f"`{key}`" not in guide] == []
