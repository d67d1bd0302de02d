"""Your data, in dates and decisions: when each kind ends here, and what the program decides by itself."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.template.defaultfilters import filesizeformat
from django.test import Client

from mindstage.accounts import rate_limits
from mindstage.accounts.models import AgeBand, Session, User
from mindstage.accounts.sessions import list_sessions
from mindstage.datamap.content import present
from mindstage.datamap.policy import decisions_of
from mindstage.datamap.reading import data_map
from mindstage.datamap.retention import days_in
from mindstage.kit import clock
from mindstage.library.trash import trash_item
from mindstage.ops.jobs import run_next_job
from mindstage.rights.decisions import NOW, list_decisions
from mindstage.rights.export import discard_export, list_exports, path_of, request_export
from mindstage.rights.inventory import ENDS, SOURCES, list_kinds
from mindstage.stories.drafts import save_draft
from mindstage.stories.models import Draft, Story, Turn
from mindstage.vault.clocks import slow_date
from people import make_person, signed_in_client
from rights.erasures import Life, make_life

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])
NOT_YET_SOMEBODYS = {"doorstep", "job", "reserved_handle"}
"""Half a log-in, a deed that failed, and what begins when the account is gone: no row of a person's page."""


@pytest.fixture
def ada(vault: None) -> Life:
    return make_life("ada")


def ends(life: Life) -> dict[str, str]:
    return {kind.id: kind.ends for kind in list_kinds(life.person.pk) if kind.rows}


def day(days: int, start: date | None = None) -> str:
    return f"{(start or clock.today()) + timedelta(days=days):%d %B %Y}".lstrip("0")


def test_each_kind_says_when_it_ends(ada: Life) -> None:
    """The day of the first that ends by itself, counted as the clocks count; what ends with her says so."""
    signed_in_client(ada.person)
    save_draft(story=ada.story, mode="do", text="I wait.")
    found = ends(ada)
    assert found["draft"] == f"The first by itself on {day(30)}, if it is not changed again."
    assert found["session"] == f"The first by itself on {day(7)}, if it is not used again."
    assert found["story"] == found["handle"] == "Nothing of it by itself."
    trash_item(ada.character)
    assert ends(ada)["character"] == f"The first by itself on {day(30, slow_date())}."
    with clock.moved(timedelta(days=5)):
        signed_in_client(ada.person)
        assert ends(ada)["session"] == found["session"]  # the older one ends first


def test_a_browser_ends_on_the_day_that_stands_there(ada: Life, settings: Any) -> None:
    """A week after its last use, or after 30 days of use, whichever is sooner: by the page and by the clock alike."""
    signed_in_client(ada.person)
    began = clock.now()
    for used, shorter, lasts in ((0, {}, 7), (20, {}, 27), (26, {}, 30), (0, {"session": 3}, 3)):
        settings.MINDSTAGE = replace(settings.MINDSTAGE, retention=shorter)
        Session.objects.update(seen=began + timedelta(days=used))
        assert ends(ada)["session"] == f"The first by itself on {day(lasts)}, if it is not used again."
        end = Session.objects.get().born + timedelta(days=lasts) if lasts in (30, 3) else began + timedelta(days=lasts)
        with clock.moved(end - clock.now() - timedelta(seconds=2)):
            assert living(ada) == 1
        with clock.moved(end - clock.now() + timedelta(seconds=2)):
            assert living(ada) == 0


def living(life: Life) -> int:
    return len(list_sessions(life.person))


def test_sizes_are_those_of_the_sealed_bytes(ada: Life) -> None:
    """Of each sealed column of her rows, as the database holds them, and of files; a column in clear has none."""
    save_draft(story=ada.story, mode="do", text="I wait.")
    ben = make_life("ben")
    signed_in_client(ben.person)
    sizes = {kind.id: kind.size for kind in list_kinds(ada.person.pk)}
    stories, turns = Story.objects.filter(owner=ada.person), Turn.objects.filter(story__owner=ada.person)
    assert sizes["story"] == sum(len(row.title) + len(row.stage) for row in stories) + sum(
        len(row.text) for row in turns
    )
    assert sizes["draft"] == sum(len(row.text) for row in Draft.objects.filter(story=ada.story)) > 0
    assert sizes["handle"] == len(User.objects.get(pk=ada.person.pk).handle) > 0
    assert sizes["age_band"] == sizes["credential"] == sizes["access_count"] == sizes["export"] == 0
    page = signed_in_client(ada.person).get("/your-data/").content.decode()
    assert f"{filesizeformat(sizes['story'])}</span>" in page
    assert "&#x27;" not in page  # what the map says stands there in the letters of print


def test_the_file_of_an_export_counts(ada: Life) -> None:
    """As many bytes as lie in the folder, while they lie there; Ben's are Ben's."""
    ben = make_life("ben")
    for life in (ada, ben):
        request_export(owner=life.person.pk)
    while run_next_job():
        pass
    for life in (ada, ben):
        (export,) = list_exports(life.person.pk)
        size = path_of(export.pk).stat().st_size
        assert size > export.size > 0
        assert {kind.id: kind.size for kind in list_kinds(life.person.pk)}["export"] == size
        assert discard_export(owner=life.person.pk, ident=export.pk)
        assert {kind.id: kind.size for kind in list_kinds(life.person.pk)}["export"] == 0


def test_each_kind_says_its_ground_and_where_it_came_from(ada: Life) -> None:
    """Purpose, lawful basis and source of every entry of the map, in words, also of those with a note of their own."""
    page = signed_in_client(ada.person).get("/your-data/").content.decode()
    for entry in data_map().entries.values():
        (kind,) = [one for one in list_kinds(ada.person.pk) if one.id == entry.id]
        assert kind.what
        assert kind.ground == f"{entry.basis[:1].upper()}{entry.basis[1:]}."
        assert kind.source == SOURCES[entry.source]
        shown = page[page.index(f'id="kind-{entry.id}"') :]
        shown = shown[: shown.index("</article>")]
        assert f"<dt>Ground</dt><dd>{kind.ground}</dd>" in shown
        assert f"<dt>From</dt><dd>{kind.source}</dd>" in shown


def test_each_kind_that_is_held_leads_to_what_is_in_it(ada: Life) -> None:
    """To a page, or a part of this one, that shows the values; what no page shows is in the archive, or is no value."""
    client = signed_in_client(ada.person)
    page = client.get("/your-data/").content.decode()
    for entry in data_map().entries.values():
        shown = page[page.index(f'id="kind-{entry.id}"') :]
        links = re.findall(r'<footer><a href="([^"]+)"', shown[: shown.index("</article>")])
        assert bool(links) == (entry.id not in WITHOUT_A_PAGE), entry.id
        for link in links:
            if link.startswith("#"):
                assert f'id="{link[1:]}"' in page
            else:
                assert client.get(link).status_code in (200, 302), link  # some ask for the passphrase first


WITHOUT_A_PAGE = {
    "doorstep": "it belongs to a browser that is half-way in, and to nobody's account",
    "erasure_request": "the frozen account's page shows it in place of this one",
    "job": "it says which deed is due, and no value",
    "keys": "they are never shown",
    "reserved_handle": "it is nobody's any more",
}


def test_a_shorter_time_of_the_operator_shows(ada: Life, settings: Any) -> None:
    """The day is that of this instance, not that of the promise."""
    settings.MINDSTAGE = replace(settings.MINDSTAGE, retention={"draft": 3})
    save_draft(story=ada.story, mode="do", text="I wait.")
    assert ends(ada)["draft"] == f"The first by itself on {day(3)}, if it is not changed again."
    page = signed_in_client(ada.person).get("/your-data/").content.decode()
    assert "On this copy: 3 days." in page
    assert "3 days after the last change" in page


def test_no_kind_that_ends_by_itself_is_left_out() -> None:
    """Whatever the map keeps for a time while the account is in use has its day on the page."""
    timed = {entry.id for entry in data_map().entries.values() if days_in(entry.retention_active)}
    assert timed - NOT_YET_SOMEBODYS <= ENDS.keys()


def test_every_decision_stands_on_the_page_and_in_the_policy(ada: Life) -> None:
    """Each with what it looks at, what it does, and what one can do about it."""
    page = signed_in_client(ada.person).get("/your-data/").content.decode()
    policy = Client().get("/policy/").content.decode()
    declared = decisions_of(present())
    assert {one["id"] for one in declared} >= {"tries", "age", "file", "export", "reply"} | NOW.keys()
    for one in declared:
        assert f'id="decided-{one["id"]}"' in page
        assert all(one[key] for key in ("title", "looks_at", "does", "turn_to"))
    assert 'id="decide"' in policy


def test_what_a_decision_tells_one_to_do_can_be_done(ada: Life) -> None:
    """The age band is corrected on the account page, so nobody is sent to write a letter about it."""
    age = next(one for one in decisions_of(present()) if one["id"] == "age")
    assert age["turn_to"] == "correct it on the page of your account"
    assert 'href="/your-data/age/"' in signed_in_client(ada.person).get("/account/").content.decode()


def test_every_limit_stands_in_the_decision_about_tries() -> None:
    """A new limit fails here until people are told what is counted."""
    looks_at = next(one["looks_at"] for one in decisions_of(present()) if one["id"] == "tries")
    limits = {one.name for one in vars(rate_limits).values() if isinstance(one, rate_limits.Limit)}
    assert limits == TRIED.keys()
    assert [name for name, words in TRIED.items() if words not in looks_at] == []


TRIED = {
    "handle": "a passphrase",
    "network": "a passphrase",
    "sign-up": "a sign-up",
    "code": "a code",
    "codes": "a code",
    "passkey": "a passkey",
    "letter": "a letter",
    "letters": "a letter",
    "take-back": "way back out of the trash",
    "yes": "a choice",
}


def test_how_they_stand_for_one_person(ada: Life) -> None:
    """What was decided about her, and not about somebody else."""
    ben = make_person("ben", age_band=AgeBand.TEEN)
    request_export(owner=ada.person.pk)
    client = signed_in_client(ada.person)
    client.post("/your-data/consents/improvement/", {"given": "yes"})
    client.get("/your-data/", headers={"Sec-GPC": "1"})
    hers, his = ({one.id: one.now for one in list_decisions(person.pk)} for person in (ada.person, ben))
    assert hers["age"] == "You said you are an adult."
    assert his["age"].startswith("You said you are 13 to 17")
    assert hers["export"] == f"You can ask again on {day(1)}."
    assert his["export"] == "You can ask for one now."
    assert hers["signal"] == f"Last on {day(0)}."
    assert his["signal"] == "It has not happened to you."
    assert hers["tries"] == ""
