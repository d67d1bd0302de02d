"""Your data in the browser: the page, freezing, deleting the account, the claim code, the receipt, the trash."""

from __future__ import annotations

import html
import io
import json
import re
import timeit
from argparse import Namespace
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from mindstage import __main__ as program
from mindstage.__main__ import main
from mindstage.accounts import access_counts
from mindstage.accounts.access_counts import AccessCount, list_openings, note_opening, purge_old_counts, store_counts
from mindstage.accounts.models import Session, User
from mindstage.accounts.sessions import keep_proof
from mindstage.datamap.reading import data_map
from mindstage.datamap.retention import PROMISES, promised_days
from mindstage.kit import clock
from mindstage.kit.acting import YOU, who_acts
from mindstage.ledger.envelopes import claim_nonce
from mindstage.library.models import Character
from mindstage.ops.jobs import run_next_job
from mindstage.rights import views
from mindstage.rights.erasure import run_due
from mindstage.rights.export import request_export
from mindstage.rights.requests import ErasureRequest
from mindstage.stories.models import Story
from mindstage.vault.purposes import Purpose
from people import PASSPHRASE, make_person, signed_in_client
from rights.erasures import Life, make_life, pass_nights

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])
CODE = re.compile(r'class="claim mt-5"[^>]*>([^<]+)<')


@pytest.fixture
def ada(vault: None) -> Life:
    return make_life("ada")


@pytest.fixture
def client(ada: Life) -> Client:
    """Ada in her browser; she has just given her passphrase again."""
    browser = signed_in_client(ada.person)
    keep_proof(browser.cookies[settings.SESSION_COOKIE_NAME].value)
    return browser


def page_of(client: Client, path: str = "/your-data/") -> str:
    response = client.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def ask_to_erase(client: Client) -> str:
    """Ask, and read the claim code off the page."""
    response = client.post("/your-data/erasures/", {"handle": "Ada"})
    assert response.status_code == 200
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'  # nothing of hers stays in the browser
    found = CODE.search(response.content.decode())
    assert found
    return found[1]


def test_every_kind_stands_on_the_page(ada: Life, client: Client) -> None:
    """Each entry of the map, with live counts; and nothing of it is a word that she wrote."""
    page = page_of(client)
    for entry in data_map().entries.values():
        assert f'id="kind-{entry.id}"' in page
    story = page[page.index('id="kind-story"') :]
    assert "2 entries" in story[:400]  # a story and its opening
    for anchor in ("held", "time", "consents", "sent", "sessions", "opened", "decided", "export", "delete"):
        assert f'id="{anchor}"' in page
    assert Story.objects.get(pk=ada.story.pk).open("title", Purpose.SHOW) not in page


def test_only_ones_own_is_counted(ada: Life, client: Client) -> None:
    """Another's ten stories change no number of hers."""

    def numbers() -> list[str]:
        return re.findall(r'id="kind-(?:story|character|handle|keys)".*?class="num">(\d+) entr', page_of(client))

    before = numbers()
    for name in ("ben", "cleo"):
        make_life(name)
    assert numbers() == before
    assert len(before) == 4


def test_who_opened_it_is_counted_by_day_purpose_and_actor(ada: Life, client: Client) -> None:
    """Showing a story is a line; another's openings are not on the page; a line is not a row per opening."""
    ben = make_life("ben")
    client.get("/")
    client.get(f"/stories/{ada.story.pk}/")
    signed_in_client(ben.person).get(f"/stories/{ben.story.pk}/")
    store_counts()
    lines = list_openings(ada.person.pk)
    assert {(line.actor, line.purpose) for line in lines} >= {("you", "show"), ("you", "sign_in")}
    before = {line.purpose: line.count for line in lines}
    client.get(f"/stories/{ada.story.pk}/")
    after = {line.purpose: line.count for line in list_openings(ada.person.pk)}
    assert after["show"] > before["show"]
    assert AccessCount.objects.filter(owner=ada.person.pk, purpose="show").count() == 1
    assert "To show you what is yours" in page_of(client)
    with clock.moved(timedelta(days=365)):
        assert purge_old_counts() > 0
    assert not AccessCount.objects.filter(owner=ada.person.pk).exists()


def test_no_line_of_who_opened_it_is_left_out(ada: Life, client: Client) -> None:
    """Page by page, with how many there are, each line once; a page that does not exist is the last or the first."""
    store_counts()
    AccessCount.objects.all().delete()
    days = [clock.today() - timedelta(days=back) for back in range(1, 131)]
    AccessCount.objects.bulk_create(
        AccessCount(owner=ada.person.pk, purpose="show", actor="you", day=day, count=1) for day in days
    )
    page_of(client)  # opens for each purpose that the page needs, so that the numbers stand still
    pages = [html.unescape(client.get("/your-data/", {"opened": number}).content.decode()) for number in (1, 2, 3)]
    shown = [f'"Day">{day:%a} {day.day} {day:%B %Y}<' for day in days]
    assert all(sum(page.count(line) for page in pages) == 1 for line in shown)
    assert "Lines 1 to 60 of 13" in pages[0]
    assert ("Newer ones" in pages[0], "Earlier ones" in pages[0]) == (False, True)
    assert 'href="?opened=2#opened"' in pages[0]
    assert ("Newer ones" in pages[2], "Earlier ones" in pages[2]) == (True, False)
    for wrong, like in (("9", shown[-1]), ("x", shown[0])):
        assert like in client.get("/your-data/", {"opened": wrong}).content.decode()


def test_a_job_is_not_the_person(ada: Life, client: Client) -> None:
    """What the worker opens for her archive is the program's line, at her word; it is nobody else's doing."""
    request_export(owner=ada.person.pk)
    while run_next_job():
        pass
    actors = {line.purpose: line.actor for line in list_openings(ada.person.pk) if line.purpose == "export"}
    assert actors == {"export": "program"}
    page = page_of(client)
    assert "This program by itself, for you" in page
    assert "Nobody but you" in page


def test_a_command_is_the_operators(ada: Life, client: Client) -> None:
    """What is opened by a command on the machine stands on the page as what it is, whichever line it is in."""

    class Look:
        """A command that opens a title."""

        @staticmethod
        def run(options: Namespace, instance: object) -> int:
            return 0 if Story.objects.get(pk=ada.story.pk).open("title", Purpose.SHOW) else 1

    assert program._run(Namespace(command="manage", module=Look)) == 0
    AccessCount.objects.filter(actor="operator").update(day=clock.today() - timedelta(days=300))
    AccessCount.objects.bulk_create(
        AccessCount(owner=ada.person.pk, purpose="show", actor="you", day=clock.today() - timedelta(days=back), count=1)
        for back in range(1, 200)
    )
    page = page_of(client)
    assert "Whoever runs this copy</b> has opened something of yours" in page
    assert "Nobody but you" not in page
    last = client.get("/your-data/", {"opened": 9}).content.decode()
    assert "Whoever runs this copy, by a command on the machine" in last
    assert AccessCount.objects.get(owner=ada.person.pk, actor="operator").count == 1
    assert who_acts() == YOU


def test_counting_is_cheap(ada: Life) -> None:
    """Less than ten microseconds an opening, on the path of every turn."""
    seconds = min(timeit.repeat(lambda: note_opening(ada.story.pk, Purpose.NARRATE), number=10_000, repeat=5))
    store_counts()
    assert seconds / 10_000 < 10e-6
    assert AccessCount.objects.get(owner=ada.person.pk, purpose="narrate").actor == "narrator"


def test_openings_of_somebody_erased_go_nowhere(ada: Life) -> None:
    """Counts that were still in memory when the keys died belong to nobody."""
    note_opening(ada.story.pk, Purpose.SHOW)
    from mindstage.accounts.endings import end_item

    end_item(ada.story.pk)
    store_counts()
    assert not AccessCount.objects.filter(owner=ada.person.pk, purpose="show").exists()


def test_no_line_is_written_beside_an_erasure(ada: Life) -> None:
    """Its owner was looked up while the key lived; a line stored after the rows were cleared would stay for good."""
    store_counts()
    AccessCount.objects.all().delete()
    note_opening(ada.story.pk, Purpose.SHOW)
    User.objects.filter(pk=ada.person.pk).update(state=User.State.DESTROYING)
    store_counts()
    assert not AccessCount.objects.exists()


def test_counts_that_could_not_be_stored_are_not_lost(ada: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was busy: they are stored with the next round."""
    store_counts()
    AccessCount.objects.all().delete()
    note_opening(ada.story.pk, Purpose.SHOW)
    with monkeypatch.context() as patched:
        patched.setattr(access_counts, "_add", fall)
        with pytest.raises(OperationalError):
            store_counts()
    store_counts()
    assert AccessCount.objects.get(owner=ada.person.pk, purpose="show").count == 1


def fall(*_: object) -> None:
    raise OperationalError


def test_deleting_asks_for_proof_and_for_the_handle(ada: Life) -> None:
    """Without a fresh proof she is led to it; with a wrong handle nothing begins."""
    client = signed_in_client(ada.person)
    assert client.get("/your-data/erasures/").headers["Location"].startswith("/session/proof/")
    assert client.post("/your-data/erasures/", {"handle": "ada"}).status_code == 302
    keep_proof(client.cookies[settings.SESSION_COOKIE_NAME].value)
    assert "Download everything first" in page_of(client, "/your-data/erasures/")
    response = client.post("/your-data/erasures/", {"handle": "ben"})
    assert (response.status_code, "nothing was begun" in response.content.decode()) == (422, True)
    assert User.objects.get(pk=ada.person.pk).is_active


def test_a_frozen_account_sees_that_it_is_frozen_and_nothing_else(ada: Life, client: Client) -> None:
    """Every other page leads there, every form is refused, and one click brings everything back."""
    other = signed_in_client(ada.person)
    ask_to_erase(client)
    assert not Session.objects.filter(account=ada.person).exists()
    for browser in (client, other):
        assert browser.get("/your-data/").headers["Location"].startswith("/session/new/")
    back = Client()
    signed_in = back.post("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE})
    assert signed_in.status_code == 302
    for path in ("/", "/stories/", f"/stories/{ada.story.pk}/", "/characters/", "/account/", "/trash/"):
        answer = back.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/your-data/"), path
    refused = back.post(f"/stories/{ada.story.pk}/turns/", {"text": "I wake.", "mode": "do"})
    assert (refused.status_code, "frozen" in refused.content.decode()) == (403, True)
    page = page_of(back)
    assert "will be deleted on" in page
    assert "Keep my account" in page
    assert back.post("/your-data/erasures/end/").headers["Location"] == "/your-data/?kept"
    assert "Nothing was lost" in page_of(back, "/your-data/?kept")
    assert page_of(back, f"/stories/{ada.story.pk}/")
    assert not ErasureRequest.objects.exists()


def test_freezing_alone_ends_nothing(ada: Life, client: Client) -> None:
    """Restriction: hidden until she thaws it, also after a year of nights."""
    frozen = client.post("/your-data/freeze/")
    page = frozen.content.decode()
    assert (frozen.status_code, 'href="/session/new/"' in page, "To your desk" in page) == (200, True, False)
    pass_nights(40)
    back = Client()
    back.post("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE})
    assert "You froze it yourself" in page_of(back)
    thawed = back.post("/your-data/freeze/end/", follow=True)
    assert "no longer frozen. Everything is where it was." in thawed.content.decode()
    assert page_of(back, f"/stories/{ada.story.pk}/")


def test_thawing_does_not_get_around_an_erasure(ada: Life, client: Client) -> None:
    """The button of the one freeze does not end the other: only calling it off, with its ledger entry, does."""
    ask_to_erase(client)
    back = signed_in_client(ada.person)
    back.post("/your-data/freeze/end/")
    assert User.objects.get(pk=ada.person.pk).state == "frozen"


def test_the_claim_code_takes_the_place_of_the_account(ada: Life, client: Client, tmp_path: Path) -> None:
    """Without a session: the state, calling it off, and in the end the receipt, which a page and a command check."""
    code = ask_to_erase(client)
    stranger = Client()
    page = stranger.post("/your-data/receipt/", {"code": code.lower()}).content.decode()
    assert "will be deleted on" in page
    pass_nights(7, turning=False)
    waiting = stranger.post("/your-data/receipt/", {"code": code}).content.decode()
    assert "could still bring hidden data back" in waiting
    early = stranger.post("/your-data/receipt/", {"code": code, "act": "fetch"})
    assert early.status_code == 409
    too_late = stranger.post("/your-data/receipt/", {"code": code, "act": "cancel"})
    assert (too_late.status_code, "too late" in too_late.content.decode()) == (409, True)
    pass_nights(1)
    run_due()
    done = stranger.post("/your-data/receipt/", {"code": code}).content.decode()
    assert claim_nonce(code).hex() in done
    fetched = stranger.post("/your-data/receipt/", {"code": code, "act": "fetch"})
    assert fetched.headers["Content-Disposition"].startswith("attachment")
    receipt = io.BytesIO(fetched.content)
    receipt.name = "receipt.json"
    checked = stranger.post("/your-data/receipt/check/", {"receipt": receipt})
    assert (checked.status_code, "is whole" in checked.content.decode()) == (200, True)
    wrong = stranger.post("/your-data/receipt/check/", {"text": fetched.content.decode().replace("gone", "kept")[:-9]})
    assert wrong.status_code == 422
    file, key = tmp_path / "receipt.json", tmp_path / "key.json"
    file.write_bytes(fetched.content)
    key.write_bytes(stranger.get("/.well-known/mindstage-signing-key").content)
    assert run_command("receipt", "verify", str(file), "--key", str(key)) == 0
    file.write_bytes(json.dumps(json.loads(fetched.content) | {"stores": []}).encode())
    assert run_command("receipt", "verify", str(file), "--key", str(key)) == 1
    assert run_command("receipt", "verify", str(tmp_path / "none"), "--key", str(key)) == 2


def run_command(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    return int(left.value.code or 0)


def test_calling_it_off_by_the_code(ada: Life, client: Client) -> None:
    code = ask_to_erase(client)
    response = Client().post("/your-data/receipt/", {"code": code, "act": "cancel"})
    assert "Nothing was lost" in response.content.decode()
    assert User.objects.get(pk=ada.person.pk).is_active


def test_the_trash_says_when_each_thing_ends(ada: Life, client: Client) -> None:
    """Deleting a story or a character, undoing it, and deleting it now, by plain forms; each says what was done."""
    assert client.post(f"/stories/{ada.story.pk}/trash/").status_code == 302
    assert client.post(f"/characters/{ada.character.pk}/trash/").status_code == 302
    page = page_of(client, "/trash/")
    title = ada.story.open("title", Purpose.SHOW)
    assert title in page
    assert page.count("in 30 days") == 2
    pass_nights(3)
    assert page_of(client, "/trash/").count("in 27 days") == 2
    back = client.post(f"/trash/{ada.story.pk}/undo/", follow=True).content.decode()
    assert "It is back where it was" in back
    assert 'href="/stories/"' in back
    assert page_of(client, f"/stories/{ada.story.pk}/")
    gone = client.post(f"/trash/{ada.character.pk}/end/", follow=True).content.decode()
    assert "It is deleted for good." in gone
    assert "It is empty" in gone
    assert not Character.objects.filter(pk=ada.character.pk).exists()


def test_names_can_be_corrected_in_place(ada: Life, client: Client) -> None:
    """Title and the name one plays under; an impossible one changes nothing."""
    there = f"/stories/{ada.story.pk}/names/"
    assert client.post(there, {"title": "The Quiet  Lamp", "persona": "Wren"}).status_code == 302
    page = page_of(client, there)
    assert 'value="The Quiet Lamp"' in page
    assert 'value="Wren"' in page
    assert client.post(there, {"title": "x" * 121, "persona": "Wren"}).status_code == 400
    assert client.post(there, {"title": "", "persona": ""}).status_code == 302
    assert 'value="The Quiet Lamp"' in page_of(client, there)


def test_a_stranger_and_somebody_else_learn_nothing(ada: Life, client: Client) -> None:
    """Cleo finds nothing of Ada's in the trash, and cannot end or take back what lies there."""
    client.post(f"/stories/{ada.story.pk}/trash/")
    cleo = signed_in_client(make_person("cleo"))
    assert "It is empty" in page_of(cleo, "/trash/")
    for act in ("undo", "end"):
        assert cleo.post(f"/trash/{ada.story.pk}/{act}/").status_code == 404
    assert Story.objects.get(pk=ada.story.pk).trashed_on


def test_bars_go_as_far_as_this_copy_keeps_things(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator's shorter time shortens the bar as well as the words; each length has a rule of its own."""
    shorter = {"session": 3, "trash": 1, "backups": 14}
    monkeypatch.setattr(settings, "MINDSTAGE", replace(settings.MINDSTAGE, retention=shorter))
    lanes = dict(re.findall(r"<li><span>([^<]+)</span><div class=\"lane ([\w -]+)\">", page_of(client)))
    days = {"Sessions": 3, "Things in the trash": 1, "Drafts": 30, "Backups": 14}
    assert {title: lanes[title] for title in days} == {title: f"to-days to-{n}d" for title, n in days.items()}
    rules = Path(views.__file__).parent.parent.joinpath("static/rights/held.css").read_text()
    longest = max(promised_days(name) for name in PROMISES)
    assert all(f".to-{n}d {{ --days: {n}; }}" in rules for n in range(1, longest + 1))
