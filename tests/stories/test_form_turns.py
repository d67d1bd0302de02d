"""A turn without scripts: the page's form plays it, once, on the branch that the page shows, and loses no line."""

from __future__ import annotations

import html
import re
import uuid
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from fakes.provider import Die, Finish, Hold, Words, words
from mindstage.stories import form_turns, revisions
from mindstage.stories.drafts import DRAFT_CHARACTERS, DraftView, find_draft, save_draft
from mindstage.stories.models import Story, Turn
from mindstage.stories.turns import TURN_CHARACTERS
from people import signed_in_client
from stories.house import House, eventually
from stories.scenes import Player, last_reply, make_story, scene_of, text_of, texts_of
from stories.test_storage_trouble import LONG, Trouble, full_disk, locked

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])


def form_of(player: Player, story: Story) -> dict[str, str]:
    """The hidden fields of the composer on a freshly opened page."""
    page = signed_in_client(player.account).get(reverse("story", args=[story.pk])).content.decode()
    return dict(re.findall(r'<input type="hidden" name="(form|segment)" value="([^"]+)"', page))


def send(player: Player, story: Story, form: dict[str, str], text: str = "I knock.") -> int:
    return answer_to(signed_in_client(player.account), story, {**form, "text": text, "mode": "say"})[0]


def answer_to(browser: Client, story: Story, form: dict[str, str]) -> tuple[int, str]:
    """Status and page."""
    answer = browser.post(reverse("turns", args=[story.pk]), form)
    return answer.status_code, answer.content.decode()


def given_back(page: str) -> dict[str, str]:
    """The form on the page of a refusal, as a browser would send it again."""
    fields = dict(re.findall(r'<input type="hidden" name="(form|segment|mode)" value="([^"]*)"', page))
    text = re.search(r'<textarea[^>]* name="text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert text
    return fields | {"text": html.unescape(text[1])}


def test_without_scripts_the_page_comes_again_until_the_reply_stands_there(house: House, player: Player) -> None:
    """It leads to the end of the story, and each look has an address of its own: to the same one with a fragment a
    browser only scrolls, and the reply would never show."""
    house.provider.play(Words(3), Hold(), Finish())
    story, browser = make_story(player.account), signed_in_client(player.account)
    sent = browser.post(
        reverse("turns", args=[story.pk]), {**form_of(player, story), "text": "I knock.", "mode": "say"}
    )
    there = reverse("story", args=[story.pk])
    assert sent.headers["Location"] == f"{there}#end"
    looks = [there, f"{there}?look=1", f"{there}?look=2"]
    for look, following in pairwise(looks):
        page = browser.get(look).content.decode()
        assert f'<noscript><meta http-equiv="refresh" content="4; url={following}#end"></noscript>' in page
        assert 'id="end"' in page
    house.release()
    eventually(lambda: last_reply(story).state == "finished")
    assert "http-equiv" not in browser.get(looks[-1]).content.decode()


def test_a_form_plays_a_turn(house: House, player: Player) -> None:
    """The page comes back at once, the reply is written, and the draft that was played is gone."""
    story = make_story(player.account)
    save_draft(story=story, mode="say", text="I kno")
    assert send(player, story, form_of(player, story)) == 302
    eventually(lambda: last_reply(story).state == "finished")
    assert texts_of(story, kind="say") == ["I knock."]
    assert find_draft(story).text == ""


def test_a_form_sent_twice_is_one_turn(house: House, player: Player) -> None:
    """While the reply runs and after it; another line from the same page is another turn."""
    story = make_story(player.account)
    form = form_of(player, story)
    house.script(Words(3), Hold(), Finish())
    assert [send(player, story, form) for _ in range(3)] == [302] * 3
    house.release()
    eventually(lambda: last_reply(story).state == "finished")
    assert send(player, story, form) == 302
    assert text_of(last_reply(story)) == words(3)
    assert send(player, story, form, "I knock again.") == 302
    eventually(lambda: last_reply(story).state == "finished")
    assert texts_of(story, kind="say") == ["I knock.", "I knock again."]
    assert len(house.provider.requests) == 2


def test_a_refused_line_becomes_the_draft(house: House, player: Player) -> None:
    """While the narrator writes the line is refused with a sentence, and stands in the composer afterwards."""
    story = make_story(player.account)
    house.script(Words(3), Hold(), Finish())
    reader = house.take(player, story)
    reader.begun()
    assert send(player, story, form_of(player, story), "And then?") == 409
    assert find_draft(story).text == "And then?"
    house.release()
    reader.to_end()


def test_a_line_that_is_too_long_is_given_back(house: House, player: Player) -> None:
    """The page of the refusal holds all of it to be cut there, and so does the story's composer."""
    story = make_story(player.account)
    text = "<i>" + "x" * TURN_CHARACTERS
    sent = {**form_of(player, story), "text": text, "mode": "say"}
    status, page = answer_to(signed_in_client(player.account), story, sent)
    assert status == 413
    assert given_back(page) == sent
    assert find_draft(story) == DraftView("say", text)
    assert answer_to(signed_in_client(player.account), story, given_back(page) | {"text": text[:100]})[0] == 302
    assert texts_of(story, kind="say") == [text[:100]]


def test_a_line_without_a_place_for_it_is_given_back(house: House, player: Player) -> None:
    """Text that is too long for a draft as well, or of no kind that there is, stands on the page of the refusal."""
    story = make_story(player.account)
    for text, mode in (("x" * (DRAFT_CHARACTERS + 1), "say"), ("I knock.", "whisper")):
        sent = {**form_of(player, story), "text": text, "mode": mode}
        status, page = answer_to(signed_in_client(player.account), story, sent)
        assert status in (400, 413)
        assert given_back(page) == sent
        assert find_draft(story) == DraftView()


def test_an_empty_line_forgets_no_draft(house: House, player: Player) -> None:
    """Play pressed on an empty field, in a tab that was opened before the draft, is refused and takes nothing."""
    story = make_story(player.account)
    save_draft(story=story, mode="say", text="I kno")
    assert send(player, story, form_of(player, story), " ") == 400
    assert find_draft(story).text == "I kno"


@pytest.mark.sqlite
@pytest.mark.parametrize("trouble", [full_disk, locked])
def test_a_line_that_cannot_be_stored_is_given_back(trouble: Trouble, house: House, player: Player) -> None:
    """On a full disk or a locked database it stands on the page of the refusal; sent again from there it is a turn."""
    story, browser = make_story(player.account), signed_in_client(player.account)
    sent = {**form_of(player, story), "text": LONG, "mode": "say"}
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    with trouble(house):  # type: ignore[operator]
        status, page = answer_to(browser, story, sent)
    assert status == 503
    assert "could not save" in page
    assert given_back(page) == sent
    assert [answer_to(browser, story, given_back(page))[0] for _ in range(2)] == [302, 302]
    assert texts_of(story, kind="say") == [LONG]
    eventually(lambda: last_reply(story).state == "finished")


def test_a_batch_that_was_lost_gives_its_line_back(house: House, player: Player) -> None:
    """What the database undid by itself was not stored: the page says so, and has the line."""
    story = make_story(player.account)
    sent = {**form_of(player, story), "text": "I knock.", "mode": "say"}
    house.lose_next_batch()
    status, page = answer_to(signed_in_client(player.account), story, sent)
    assert status == 503
    assert given_back(page) == sent
    assert find_draft(story) == DraftView("say", "I knock.")


def test_whoever_was_signed_out_has_their_line(house: House, player: Player) -> None:
    """The page that says so gives the text back, to be sent again after a log-in in another tab."""
    story = make_story(player.account)
    sent = {**form_of(player, story), "text": "I knock.", "mode": "say"}
    page = Client().post(reverse("turns", args=[story.pk]), sent)
    assert page.status_code == 403
    assert given_back(page.content.decode()) == sent


OURS = ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"})
NOT_OURS = ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://elsewhere.example"}, {"Origin": "null"})


@pytest.mark.parametrize("said", OURS)
def test_an_old_page_loses_no_line(said: dict[str, str], house: House, player: Player) -> None:
    """Whose token is out of date has the text on the page that says so, and sends it again from there."""
    story = make_story(player.account)
    browser = signed_in_client(player.account, enforce_csrf_checks=True)
    sent = {**form_of(player, story), "text": LONG, "mode": "say"}
    refused = browser.post(reverse("turns", args=[story.pk]), {**sent, "csrfmiddlewaretoken": "x" * 64}, headers=said)
    page = refused.content.decode()
    assert refused.status_code == 403
    assert given_back(page) == sent
    token = re.search(r'action="/stories/.*?name="csrfmiddlewaretoken" value="([^"]+)"', page, re.DOTALL)
    assert token
    again = {**given_back(page), "csrfmiddlewaretoken": token[1]}
    assert answer_to(browser, story, again)[0] == 302
    assert texts_of(story, kind="say") == [LONG]
    eventually(lambda: last_reply(story).state == "finished")


@pytest.mark.parametrize("said", NOT_OURS)
def test_another_sites_form_is_not_shown_as_ours(said: dict[str, str], player: Player) -> None:
    """Nor where the browser does not say whose it was."""
    story = make_story(player.account)
    browser = signed_in_client(player.account, enforce_csrf_checks=True)
    refused = browser.post(reverse("turns", args=[story.pk]), {"text": "Press here.", "mode": "say"}, headers=said)
    assert refused.status_code == 403
    assert "Press here." not in refused.content.decode()


def test_a_refused_edit_is_given_back(house: House, player: Player) -> None:
    """An edited text is a person's text, too."""
    story = make_story(player.account, turns=3)
    sent = {"text": "x" * (TURN_CHARACTERS + 1)}
    page = signed_in_client(player.account).post(reverse("variants", args=[story.pk, last_reply(story).pk]), sent)
    assert page.status_code == 413
    assert given_back(page.content.decode()) == sent


def test_a_form_plays_on_its_branch(house: House, player: Player) -> None:
    """A page of another branch than the one that is played now appends to its own."""
    story = make_story(player.account, turns=5)
    form = form_of(player, story)
    revisions.branch_from(story=story, turn=Turn.objects.get(story=story, position=1))
    story.refresh_from_db()
    assert form["segment"] != str(story.head_id)
    assert send(player, story, form) == 302
    assert str(scene_of(story).head) == form["segment"]
    assert Turn.objects.get(story=story, kind="say").position == 5
    eventually(lambda: last_reply(story).state == "finished")


def test_a_page_that_waited_too_long_leaves_no_reply_hanging(
    house: House, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn that is stored after its page gave up still gets its reply; sending the form again finds it."""
    monkeypatch.setattr(form_turns, "STORED_WITHIN", 0.05)
    story = make_story(player.account)
    form = form_of(player, story)
    gate = house.busy_database()
    assert send(player, story, form) == 503
    gate.set()
    eventually(lambda: Turn.objects.filter(story=story, kind="reply", state="finished").exists())
    monkeypatch.setattr(form_turns, "STORED_WITHIN", 5)
    assert send(player, story, form) == 302
    assert texts_of(story, kind="say") == ["I knock."]
    connection.close()


@pytest.mark.parametrize("form", ["", "x", str(uuid.UUID(int=0))])
def test_a_form_without_its_number_plays_too(form: str, house: House, player: Player) -> None:
    story = make_story(player.account)
    assert send(player, story, {"form": form, "segment": "x"}) == 302
    eventually(lambda: last_reply(story).state == "finished")


def press(player: Player, story: Story, act: str) -> int:
    """Press a button of the last reply twice, as a browser without scripts sends it: how many versions there are."""
    browser = signed_in_client(player.account)
    page = browser.get(reverse("story", args=[story.pk])).content.decode()
    tools = page[page.index('<form id="tools"') :].partition("</form>")[0]
    fields = dict(re.findall(r'<input type="hidden" name="(form|segment)" value="([^"]+)"', tools))
    button = re.search(rf'<button[^>]* form="tools" formaction="([^"]+)" name="act" value="{act}"', page)
    assert button
    sent = [browser.post(reverse("story", args=[story.pk]) + button[1], {**fields, "act": act}) for _ in range(2)]
    assert {answer.headers["Location"] for answer in sent} == {reverse("story", args=[story.pk]) + "#end"}
    eventually(lambda: last_reply(story).state != "running")
    return Turn.objects.filter(story=story, position=last_reply(story).position).count()


def test_a_failed_reply_is_tried_again(house: House, player: Player) -> None:
    """Without scripts its buttons belong to a form: try again, finish it, draw another. Pressed twice it is one."""
    story = make_story(player.account)
    house.script(Words(3), Die())
    assert send(player, story, form_of(player, story)) == 302
    eventually(lambda: last_reply(story).state == "failed")
    house.script(Words(3), Die())
    assert press(player, story, "retry") == 2
    house.script(Words(2), Finish())
    assert press(player, story, "continue") == 3
    assert text_of(last_reply(story)).startswith(words(3))
    house.script(Words(4), Finish())
    assert press(player, story, "regenerate") == 4
    assert text_of(last_reply(story)) == words(4)
    assert len(house.provider.requests) == 4


def test_a_deleted_turn_is_taken_back(player: Player) -> None:
    """Without scripts the story's page offers it until another page is opened, and for no other turn."""
    story, browser = make_story(player.account, turns=3), signed_in_client(player.account)
    turn, there = last_reply(story), reverse("story", args=[story.pk])
    led = browser.post(reverse("trash", args=[story.pk, turn.pk])).headers["Location"]
    assert led == f"{there}?trashed={turn.pk}#end"
    undo = reverse("trash_undo", args=[story.pk, turn.pk])
    assert f'action="{undo}"' in browser.get(led).content.decode()
    assert undo not in browser.get(there).content.decode()
    assert undo not in browser.get(f"{there}?trashed=x").content.decode()
    assert browser.post(undo).headers["Location"] == f"{there}#t-{turn.pk}"
    assert undo not in browser.get(led).content.decode()
