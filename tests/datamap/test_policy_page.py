"""What people and programs are told is read off the map: the page, the served map, the record, the documents."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.test import Client, override_settings

from mindstage.config.configuration import ProviderEntry
from mindstage.datamap.content import Content, in_words, present
from mindstage.datamap.differences import Difference
from mindstage.datamap.facts import Facts
from mindstage.datamap.policy import TABLES, write_policy
from mindstage.datamap.reading import data_map
from mindstage.datamap.record import record_of_processing, to_markdown
from mindstage.datamap.releases import releases
from mindstage.rights.changes import describe
from mindstage.rights.versions import note_versions
from publishing import Press, press  # noqa: F401 - a fixture
from schemas import misfits, open_objects

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)

DOCS = Path(__file__).parents[2] / "docs"
PROVIDERS = (
    ProviderEntry(
        id="faraway", base_url="https://x.example", models=("m",), region="Iceland", retains="9 days", trains="no"
    ),
    ProviderEntry(id="attic", kind="embedded", path="/somewhere/model.gguf"),
)


def page(path: str = "/policy/") -> str:
    answer = Client().get(path)
    assert answer.status_code == 200, path
    return html.unescape(answer.content.decode())


def run_by(**facts: Any) -> Any:
    return override_settings(MINDSTAGE=replace(settings.MINDSTAGE, **facts))


def test_every_entry_of_the_map_is_on_the_page() -> None:
    """Each entry, store, way out and consent of the version that holds, with its purpose, times, export and end."""
    assert list(find_left_out(releases()[-1].content, page())) == []


def test_every_entry_of_the_present_map_is_written() -> None:
    """The same for the map as it is, which becomes the next version: nothing in it has no place on the page."""
    sections = write_policy(present(), Facts.of(settings.MINDSTAGE))
    tables = [part.table for section in sections for part in section.parts if part.table]
    assert (
        list(find_left_out(present(), " ".join(cell for table in tables for row in table.rows for cell in row))) == []
    )
    assert set(present()["entry"]) == set(data_map().entries)


def find_left_out(content: Content, shown: str) -> Iterator[str]:
    """What of a map is not in a text. A sentence may begin with a capital there."""
    shown = " ".join(shown.split())
    said = {
        "entry": ("title", "retention_active", "retention_after", "export"),
        "store": ("title", "holds", "ends"),
        "door": ("title", "sends"),
        "consent": ("title", "asks"),
    }
    for kind, keys in said.items():
        for name, item in content[kind].items():
            words = [item[key] for key in keys] + (
                [in_words(item["purpose"])] if "purpose" in item and kind == "entry" else []
            )
            yield from (f"{kind}:{name}: {word}" for word in words if word.replace("'", "’")[1:] not in shown)


def test_the_sections_are_those_of_the_policy() -> None:
    """In short, then 1 to 11 in order; every part is numbered under its section, and every table exists."""
    sections = write_policy(present(), Facts.of(settings.MINDSTAGE))
    assert [section.number for section in sections] == list(range(12))
    shown = page()
    for section in sections:
        assert f'id="{section.id}"' in shown
        assert all(part.number.split(".")[0] == str(section.number) for part in section.parts)
        assert all("{" not in paragraph for part in section.parts for paragraph in part.text)
    used = {part.get("table") for section in present()["section"].values() for part in section.get("part", ())}
    assert used - {None} == set(TABLES)


def test_the_operators_facts_are_on_the_page() -> None:
    """Name, region, addresses, providers with what they keep and whether they train, and what is kept shorter."""
    facts = {
        "name": "Harbour Reading Room",
        "region": "Finland",
        "contact_data_protection": "sanna@harbour.example",
        "retention": {"session": 14},
        "providers": PROVIDERS,
    }
    with run_by(**facts):
        shown = page()
    for said in ("Harbour Reading Room runs this copy", "Finland", "sanna@harbour.example", "faraway", "Iceland"):
        assert said in shown
    assert "Keeps: 9 days. Trains on it: no." in shown
    assert "On this copy: 14 days." in shown
    assert "attic" in shown
    assert "United States" in page()


def test_a_shorter_time_stands_where_it_holds() -> None:
    """Trash after a deletion of all that lies there, drafts and sessions in use; in each table that says a time."""
    with run_by(retention={"trash": 7, "draft": 1, "session": 14, "backups": 5}):
        facts = Facts.of(settings.MINDSTAGE)
    parts = [part for section in write_policy(present(), facts) for part in section.parts if part.table]
    rows = {part.table.head: {row[0]: row[1:] for row in part.table.rows} for part in parts if part.table}
    times = rows["Kind", "While you are here", "After deletion"]
    for kind in ("Stories", "Characters", "Personas, lorebooks, scenarios"):
        here, after = times[kind]
        assert here == "Until deleted."
        assert after.startswith("30 days in the trash; ")
        assert after.endswith(" On this copy: 7 days.")
    here, after = times["Drafts"]
    assert here.startswith("30 days after the last change, or until played; ")
    assert here.endswith(". On this copy: 1 day.")
    assert after == "At once."
    assert times["Signed-in browsers"] == ("30 days, 7 without use. On this copy: 14 days.", "At once.")
    (backups,) = [times[title] for title in times if title == present()["store"]["folder:backups"]["title"]]
    assert backups[0].endswith("On this copy: 5 days.")
    assert sum("On this copy" in cell for cells in times.values() for cell in cells) == 6
    held = rows["Kind", "What", "Why", "How long"]
    assert held["Stories"][-1].startswith("Until deleted. After deletion: 30 days in the trash; ")
    assert held["Stories"][-1].endswith(" On this copy: 7 days.")
    places = rows["Place", "What is in it", "Until when"]
    assert [title for title in places if "On this copy: 5 days." in places[title][-1]] == [
        present()["store"]["folder:backups"]["title"]
    ]


def test_a_provider_that_says_nothing_is_not_excused() -> None:
    """What the operator did not write down is "not stated", never a promise."""
    with run_by(providers=(replace(PROVIDERS[0], retains="", trains="", region=""),)):
        shown = page()
    assert "Keeps: not stated. Trains on it: not stated." in shown


def test_old_versions_stay_public(press: Press) -> None:  # noqa: F811
    """An earlier version keeps its words at its own address; the one that holds is at /policy/."""
    note_versions()
    press.change("entry", "story", retention_active="until the cows come home")
    press.publish(says="Stories are kept for longer.")
    assert "ntil the cows come home" not in page("/policy/")
    assert "This version does not hold yet" in page("/policy/2/")
    assert "ntil the cows come home" in page("/policy/2/")
    assert "ntil the cows come home" not in page("/policy/1/")
    assert Client().get("/policy/3/").status_code == 404
    assert Client().get("/policy/0/").status_code == 404


def test_the_changes_are_computed(press: Press) -> None:  # noqa: F811
    """The page of changes and its JSON say before and after; the feed has each version."""
    before = press.now["consent"]["training"]["purpose"]
    press.change("consent", "training", purpose="dpv:Marketing")
    press.publish(says="Training is for selling you things.")
    shown = page("/policy/changes/")
    assert "Training is for selling you things." in shown
    assert f"<del>{in_words(before)}</del>" in shown
    assert "<ins>marketing</ins>" in shown
    body = Client().get("/policy/2/changes.json").json()
    assert body["differences"] == [
        {
            "of": "consent:training",
            "how": "changed",
            "title": press.now["consent"]["training"]["title"],
            "key": "purpose",
            "before": before,
            "after": "dpv:Marketing",
        }
    ]
    assert Client().get("/policy/1/changes.json").json()["differences"] == []
    atom = ElementTree.fromstring(Client().get("/policy/feed/").content)
    space = {"a": "http://www.w3.org/2005/Atom"}
    titles = [entry.findtext("a:title", namespaces=space) for entry in atom.findall("a:entry", space)]
    assert [(title or "")[:9] for title in titles] == ["Version 2", "Version 1"]
    assert atom.findtext("a:entry/a:summary", namespaces=space) == "Training is for selling you things."


def test_a_change_of_a_few_words_is_shown_word_by_word() -> None:
    """What stayed is not struck out; two sentences that have little in common stand one after the other."""
    found = Difference(
        "entry:story", "changed", "Stories", "retention_active", "kept for 90 days here", "kept for 30 days here"
    )
    (change,) = describe([found])
    assert change["pieces"] == [("", "kept for"), ("del", "90"), ("ins", "30"), ("", "days here")]
    (change,) = describe([replace(found, after="gone at once")])
    assert change["pieces"] == [("del", "kept for 90 days here"), ("ins", "gone at once")]
    (change,) = describe([Difference("entry:story", "removed", "Stories")])
    assert change["pieces"] == []


def test_the_served_map_fits_its_schema() -> None:
    """/.well-known/data-map.json is the map that holds, and the published schema describes it to the last key."""
    with run_by(providers=PROVIDERS, retention={"draft": 3}):
        served = Client().get("/.well-known/data-map.json").json()
    schema = Client().get(served["$schema"]).json()
    assert list(misfits(schema, served)) == []
    assert list(open_objects(schema)) == []
    assert served["version"] == len(releases())
    assert {entry["id"] for entry in served["entries"]} == set(releases()[-1].content["entry"])
    assert schema == json.loads((DOCS / "schemas" / "data-map-1.json").read_text())


def test_the_schema_refuses_what_does_not_fit() -> None:
    """The control: a missing key, an unknown key, a wrong type and a wrong word are each found."""
    schema = Client().get("/schemas/data-map-1.json").json()
    good = Client().get("/.well-known/data-map.json").json()
    entry = good["entries"][0]
    for wrong in (
        {key: value for key, value in entry.items() if key != "purpose"},
        entry | {"colour": "red"},
        entry | {"stores": "everywhere"},
        entry | {"source": "hearsay"},
        entry | {"erase": "perhaps"},
        entry | {"title": ""},
    ):
        assert list(misfits(schema, good | {"entries": [wrong]}))


def test_global_privacy_control_is_supported() -> None:
    """/.well-known/gpc.json says so, in the form of the specification."""
    assert Client().get("/.well-known/gpc.json").json() == {
        "gpc": True,
        "lastUpdate": releases()[-1].made_on.isoformat(),
    }


def test_the_record_of_processing_is_the_map() -> None:
    """Art. 30: who, for what, which data of whom, to whom, how long, how protected; every entry once."""
    facts = Facts.of(replace(settings.MINDSTAGE, operator="Harbour", region="Finland", providers=PROVIDERS))
    record = record_of_processing(present(), facts, number=1)
    listed = [item["id"] for activity in record["activities"] for item in activity["data"]]
    assert sorted(listed) == sorted(data_map().entries)
    assert {provider["name"]: provider["third_country"] for provider in record["recipients"]} == {
        "faraway": True,
        "attic": False,
    }
    written = to_markdown(record)
    for entry in data_map().entries.values():
        assert f"| {entry.title} | {entry.category} | {entry.basis} |" in written
    assert "Controller: Harbour" in written


def test_pages_need_no_account_and_load_nothing_from_elsewhere() -> None:
    """Each public page answers a stranger, under the program's content policy, with addresses of its own only."""
    for path in ("/policy/", "/policy/1/", "/policy/changes/"):
        answer = Client().get(path)
        assert answer.status_code == 200
        assert not re.findall(r'(?:src|href)="https?://', answer.content.decode())
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_document_names_every_key_and_finding() -> None:
    """docs/subsystems/policy.md knows each address, act, finding and name of [retention]; data-map.md each new key."""
    text = (DOCS / "subsystems" / "policy.md").read_text()
    for word in (
        "datamap.E020",
        "datamap.E021",
        "datamap.E022",
        "datamap.E023",
        "datamap.E024",
        "session",
        "draft",
        "trash",
        "backups",
    ):
        assert word in text
    for path in (
        "/policy/",
        "/policy/changes/",
        "/policy/feed/",
        "/.well-known/data-map.json",
        "/.well-known/gpc.json",
    ):
        assert path in text
    for act in ("policy release", "policy diff", "policy record"):
        assert act in text
    keys = (DOCS / "subsystems" / "data-map.md").read_text()
    assert "[[consent]]" in keys
    assert "`consent`" in keys
