"""Nobody but its owner reaches a story by any address, and no other site's page makes a browser act."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from fakes.provider import Finish, Hold, Words, words
from mindstage.accounts.sessions import end_all, end_session, session_key_hash
from mindstage.kit import clock
from mindstage.stories.models import Draft, Segment, Story, Turn
from mindstage.stories.urls import urlpatterns
from people import make_person, signed_in_client
from stories.house import KEY, ORIGIN, OURS, House, eventually
from stories.scenes import Player, last_reply, make_player, make_story, new_id, scene_of, text_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])

OPEN_TO_ALL = {"home", "stories"}
"""Addresses that name no story."""
WRITES = {
    "story_trash", "story_keep", "story_keep_lore", "replies", "variants", "choice", "trash", "trash_undo", "branches",
    "branch", "draft",
}  # fmt: skip
FORMS = {"text": "Mine now.", "mode": "do", "act": "regenerate"}


@pytest.fixture
def story(player: Player) -> Story:
    return make_story(player.account, turns=5)


@pytest.fixture
def ben(vault: None) -> Player:
    """He has a story of his own."""
    found = make_player(make_person("ben"))
    make_story(found.account, turns=3)
    return found


@pytest.fixture
def cleo(vault: None) -> Player:
    """She has none."""
    return make_player(make_person("cleo"))


def address(pattern: URLPattern, story: Story) -> str:
    """An address of the table, filled with what really is ada's."""
    turn = Turn.objects.filter(story=story, kind="reply").first()
    assert turn is not None
    full = {"ident": story.pk, "turn": turn.pk, "segment": story.head_id}
    return reverse(str(pattern.name), kwargs={name: full[name] for name in pattern.pattern.converters})


def snapshot(story: Story) -> object:
    """Everything that is stored of a story."""
    return (
        list(Story.objects.filter(pk=story.pk).values_list()),
        sorted(Segment.objects.filter(story=story).values_list()),
        sorted(Turn.objects.filter(story=story).values_list()),
        list(Draft.objects.filter(story=story).values_list()),
    )


@pytest.mark.parametrize("pattern", [p for p in urlpatterns if p.name not in OPEN_TO_ALL], ids=lambda p: p.name)
def test_pages_of_a_story_are_its_owners(pattern: URLPattern, story: Story, ben: Player, cleo: Player) -> None:
    """For ben and cleo a page of ada's story is not there; somebody who is signed out is led to the door."""
    path, before = address(pattern, story), snapshot(story)
    right = "post" if pattern.name in WRITES else "get"
    for person in (ben, cleo):
        client = signed_in_client(person.account)
        for method in ("get", "post", "head", "put", "delete"):
            answer = getattr(client, method)(path, FORMS if method == "post" else {})
            assert answer.status_code == 404 if method == right else answer.status_code in (404, 405), method
            assert b"Line " not in answer.content
            assert b"The Lamp" not in answer.content
    stranger = Client()
    answer = stranger.get(path)
    if right == "get":
        assert (answer.status_code, answer.headers["Location"][:13]) == (302, "/session/new/")
    assert stranger.post(path, FORMS).status_code in (403, 405)
    assert snapshot(story) == before


def test_every_address_is_in_a_table() -> None:
    """A new address of this room is either among those that are walked here, or named as one without a story."""
    assert {pattern.name for pattern in urlpatterns if "ident" not in pattern.pattern.converters} == OPEN_TO_ALL
    assert {str(pattern.name) for pattern in urlpatterns} >= WRITES


def test_the_desk_shows_ones_own(story: Story, ben: Player, cleo: Player) -> None:
    """Ada's story is on her desk and on nobody else's."""
    other = Story.objects.get(owner=ben.account)
    assert str(story.pk) not in signed_in_client(ben.account).get("/").content.decode()
    assert str(other.pk) in signed_in_client(ben.account).get("/").content.decode()
    assert str(story.pk) in signed_in_client(story.owner).get("/").content.decode()
    assert f"/stories/{story.pk}" not in signed_in_client(cleo.account).get("/").content.decode()


def stream_requests(story: Story, reply: uuid.UUID) -> list[tuple[str, str, object]]:
    """Every act of the stream plane on one story."""
    turn = {"mode": "do", "text": "Mine now."}
    draws = [{"act": act, "turn": str(reply)} for act in ("continue", "regenerate", "retry")]
    return [
        ("POST", f"/stream/stories/{story.pk}/turns", {**turn, "client_turn_id": str(new_id())}),
        ("POST", f"/stream/stories/{story.pk}/replies", {"act": "go_on", "client_turn_id": str(new_id())}),
        *[("POST", f"/stream/stories/{story.pk}/replies", {**draw, "client_turn_id": str(new_id())}) for draw in draws],
        ("GET", f"/stream/runs/{reply}", None),
        ("POST", f"/stream/runs/{reply}/stop", None),
    ]


def test_streams_of_a_story_are_its_owners(house: House, story: Story, ben: Player, cleo: Player) -> None:
    """No act on ada's story or reply by ben or cleo (404) or by somebody signed out (401); nothing changes."""
    before, reply = snapshot(story), last_reply(story).pk
    for method, target, body in stream_requests(story, reply):
        for person, status in ((ben, 404), (cleo, 404), (None, 401), (Player(ben.account, "made-up"), 401)):
            answer = house.ask(method, target, person, body).to_end()
            assert (answer.status, answer.say[-1]) == (status, "."), target
            assert b"Line " not in answer.body
    assert snapshot(story) == before
    assert not house.provider.requests


def test_nobody_stops_or_reads_a_running_reply(
    house: House, player: Player, story: Story, ben: Player, cleo: Player
) -> None:
    """Also while it runs, when its words are in memory."""
    house.script(Words(5), Hold(), Finish())
    reader = house.take(player, story).until(lambda reader: reader.text == words(5))
    for person in (ben, cleo):
        assert house.resume(person, reader.run, after=0).to_end().status == 404
        assert house.stop(person, reader.run).status == 404
    house.provider.release()
    assert reader.done["state"] == "finished"


def test_no_mixing_of_stories(house: House, story: Story, ben: Player) -> None:
    """Ben cannot draw ada's reply in a story of his own, nor play his line on her branch."""
    own = Story.objects.get(owner=ben.account)
    before = snapshot(story)
    assert house.draw(ben, own, "continue", last_reply(story).pk).to_end().status == 404
    assert house.take(ben, own, segment=str(story.head_id)).to_end().status == 404
    client = signed_in_client(ben.account)
    foreign = reverse("turn", args=[own.pk, last_reply(story).pk])
    assert client.get(foreign).status_code == 404
    assert client.post(f"{foreign}variants/", {"text": "x"}).status_code == 404
    assert client.post(reverse("branch", args=[own.pk, story.head_id])).status_code == 404
    assert snapshot(story) == before
    assert scene_of(own).head == own.head_id


FOREIGN = [
    {"host": "localhost:8470", "origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    {"host": "localhost:8470", "origin": "http://localhost:9999", "sec-fetch-site": "same-site"},
    {"host": "localhost:8470", "origin": ORIGIN, "sec-fetch-site": "cross-site"},
    {"host": "localhost:8470", "origin": "https://evil.example", "sec-fetch-site": "same-origin"},
    {"host": "localhost:8470", "origin": "null"},
    {"host": "localhost:8470", "origin": "https://localhost:8470"},
    {"host": "localhost:8470", "origin": "http://localhost:8470.evil.example"},
    {"host": "localhost:8470", "sec-fetch-site": "none"},
    {"host": "localhost:8470"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_sites_make_nobody_act(headers: dict[str, str], house: House, player: Player, story: Story) -> None:
    """A request that does not say that it comes from our own page is refused with 403, cookie or not."""
    before, reply = snapshot(story), last_reply(story).pk
    for method, target, body in stream_requests(story, reply):
        if method == "POST":
            assert house.ask(method, target, player, body, headers=headers).to_end().status == 403
    assert snapshot(story) == before


@pytest.mark.parametrize("headers", FOREIGN[:7])
def test_other_sites_read_nothing(headers: dict[str, str], house: House, player: Player, story: Story) -> None:
    answer = house.ask("GET", f"/stream/runs/{last_reply(story).pk}", player, headers=headers).to_end()
    assert answer.status == 403
    assert b"Line " not in answer.body


def test_our_own_page_may(house: House, player: Player, story: Story) -> None:
    """By Sec-Fetch-Site, by Origin where a browser sends no other, and reading by a typed address."""
    reply = last_reply(story).pk
    host = {"host": "localhost:8470"}
    for headers in (OURS, {**host, "origin": ORIGIN}, {**host, "sec-fetch-site": "same-origin"}):
        assert house.ask("POST", f"/stream/runs/{reply}/stop", player, headers=headers).to_end().status == 204
    assert house.ask("GET", f"/stream/runs/{reply}", player, headers={**host, "sec-fetch-site": "none"}).done


@pytest.mark.parametrize("host", ["evil.example", "", "localhost:8470@evil.example", "a b", "localhost.evil.example"])
def test_other_hosts_are_refused(host: str, house: House, player: Player, story: Story) -> None:
    """A name that is not ours (DNS rebinding) is refused before anything is looked up."""
    headers = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
    answer = house.ask("GET", f"/stream/runs/{last_reply(story).pk}", player, headers=headers).to_end()
    assert answer.status == 400
    assert "Line " not in answer.say


def test_logging_out_elsewhere_ends_it_at_once(house: House, player: Player, story: Story) -> None:
    """The next act of a session that another device has ended is refused; what runs is finished and kept."""
    house.script(Words(3), Hold(), Words(3), Finish())
    reader = house.take(player, story).until(lambda reader: reader.text == words(3))
    end_session(session_key_hash(player.cookie))
    assert house.resume(player, reader.run).to_end().status == 401
    assert house.stop(player, reader.run).status == 401
    refused = house.take(player, story, "One more.").to_end()
    assert (refused.status, "logged out" in refused.say) == (401, True)
    house.provider.release()
    eventually(lambda: last_reply(story).state == "finished")
    again = make_player(story.owner)
    end_all(story.owner)
    assert house.take(again, story).to_end().status == 401


def test_a_session_past_its_limit_plays_no_turn(house: House, player: Player, story: Story) -> None:
    """Thirty days after log-in the stream plane asks for a new one, as every page does."""
    with clock.moved(timedelta(days=30)):
        assert house.take(player, story).to_end().status == 401


def test_another_programs_cookies_do_not_hide_ours(house: House, player: Player, story: Story) -> None:
    """Cookies are shared by all ports of a host: whatever stands beside the session's, it is found."""
    cookie = f'odd={{"a": [1]}}; b@d=x; =; session_x=1; session={player.cookie}; last="un'
    answer = house.ask("GET", f"/stream/runs/{last_reply(story).pk}", player, headers={**OURS, "cookie": cookie})
    assert answer.done["state"] == "finished"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b"\xff\xfe{}", 400),
        (b"[" * 100_000, 400),
        (b'{"mode":"do","text":"x"}', 404),
        (b'{"mode":"do","text":"\\ud800","client_turn_id":"0198c0de-0000-7000-8000-000000000001"}', 400),
        (b'{"mode":"do","text":"\\u0000","client_turn_id":"0198c0de-0000-7000-8000-000000000001"}', 400),
        (b'{"mode":"do","text":"","client_turn_id":"0198c0de-0000-7000-8000-000000000001"}', 400),
        (b'{"mode":"reply","text":"x","client_turn_id":"0198c0de-0000-7000-8000-000000000001"}', 400),
        (b'{"mode":"do","text":"%b","client_turn_id":"0198c0de-0000-7000-8000-000000000001"}' % (b"x" * 100_000), 413),
        (b"x" * 400_000, 413),
    ],
)
def test_what_is_no_turn(body: bytes, status: int, house: House, player: Player, story: Story) -> None:
    """Broken, empty, huge, deep: a status and a sentence, nothing stored, the next turn works."""
    before = snapshot(story)
    refused = house.ask("POST", f"/stream/stories/{story.pk}/turns", player, raw=body).to_end()
    assert refused.status == status
    assert refused.say.endswith(".")
    assert snapshot(story) == before
    assert house.take(player, story).done["state"] == "finished"


@pytest.mark.parametrize(
    "target", ["/stream/", "/stream/stories", "/stream/runs/x", "/stream/stories/x/turns", "/stream/%00"]
)
def test_addresses_that_are_none(target: str, house: House, player: Player) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert house.ask(method, target, player, {}).to_end().status == 404


def test_the_plane_sends_its_own_headers(house: House, player: Player, story: Story) -> None:
    """Streams and refusals carry what Django's middleware would set, and are never stored by a cache."""
    for answer in (house.take(player, story).to_end(), house.take(player, story, "").to_end()):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_what_leaves_names_nobody(house: House, player: Player, story: Story) -> None:
    """The provider gets the key and the prompt, and neither account nor story nor session."""
    house.take(player, story, "I light the lamp.").to_end()
    sent = house.provider.requests[0]
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert b"I light the lamp." in sent.raw
    told = sent.raw.decode() + str(sent.headers)
    for name in (player.account.pk, story.pk, story.head_id, last_reply(story).pk):
        assert str(name) not in told
        assert name is not None
        assert name.hex not in told
    assert player.cookie not in told
    assert "user" not in sent.body
    assert text_of(last_reply(story))
