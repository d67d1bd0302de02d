"""When a provider breaks, the words that were shown are kept, the turn is marked, and a person can try again."""

from __future__ import annotations

import logging
import socket
from typing import Any

import pytest
from django.urls import reverse

from fakes.provider import Act, Die, ErrorEvent, Finish, Hold, Raw, Sleep, Stall, Status, Text, Words, words
from mindstage.gateway.sendings import list_sent
from mindstage.stories import reading, revisions, turns
from mindstage.stories.models import Turn
from mindstage.stories.refusals import TextDamaged
from mindstage.streaming import bus
from mindstage.vault.sealing import Sealed
from people import signed_in_client
from stories.house import KEY, House, eventually
from stories.scenes import Player, last_reply, make_story, new_id, scene_of, text_of, texts_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])

BODY = "internal detail of the provider"
WAYS: dict[str, tuple[tuple[Act, ...], str, str]] = {
    "closes the socket": ((Words(10), Sleep(0.05), Die()), words(10), "broke off"),
    "says an error event": ((Words(10), Sleep(0.05), ErrorEvent(BODY)), words(10), "damaged"),
    "sends a broken chunk": ((Words(10), Sleep(0.05), Raw(b'data: {"choices": [{\n\n')), words(10), "damaged"),
    "sends half a surrogate": ((Words(10), Raw(b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n'), Die()),
                               words(10) + "\ufffd", "broke off"),
    "answers 401": ((Status(401, {}, BODY.encode()),), "", "refused"),
    "answers 429": ((Status(429, {"Retry-After": "17"}, BODY.encode()),), "", "busy"),
    "answers 500": ((Status(500, {}, BODY.encode()),), "", "trouble of its own"),
    "falls silent": ((Words(10), Stall()), words(10), "silent"),
    "sends nothing": ((Stall(),), "", "silent"),
    "ends without a word": ((Finish(),), "", "silent"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_words_are_kept_and_a_retry_works(
    way: str, house: House, player: Player, caplog: pytest.LogCaptureFixture
) -> None:
    """The stored text is what was shown; a plain sentence; no key, address or provider's word; a retry is a variant."""
    caplog.set_level(logging.DEBUG)
    acts, shown, sentence = WAYS[way]
    story = make_story(player.account)
    if Stall() in acts:  # on a busy machine any other may be late
        house.configure(base_url=house.provider.base_url, stall_seconds=0.3)
    house.script(*acts)
    reading_ = house.take(player, story)
    assert reading_.done["state"] == "failed"
    assert reading_.done["retry"]
    assert sentence in reading_.done["say"]
    assert reading_.done["retry_after"] == (17 if way == "answers 429" else None)
    failed = last_reply(story)
    assert reading_.text == text_of(failed) == shown
    assert failed.state == "failed"
    told = reading_.body.decode() + caplog.text
    for secret in (KEY, house.provider.base_url, house.provider.base_url.split(":")[2][:-3], "127.0.0.1", BODY):
        assert secret not in told
    house.script(Words(5), Finish())
    again = house.draw(player, story, "retry", failed.pk)
    assert again.done["state"] == "finished"
    reply = last_reply(story)
    assert (reply.position, reply.variant, reply.chosen) == (failed.position, 1, True)
    assert (text_of(reply), text_of(failed)) == (words(5), shown)


def test_a_long_wait_is_known_when_the_words_are_forgotten(house: House, player: Player) -> None:
    """Whoever loads the page after two minutes is told what is left of five; once it is tried again, nothing waits."""
    story = make_story(player.account)
    house.script(Status(429, {"Retry-After": "300"}, BODY.encode()))
    assert house.take(player, story).done["retry_after"] == 300
    failed = last_reply(story)
    house.narration.bus.channels.clear()  # its minute is over
    assert 290 <= house.resume(player, failed.pk).to_end().done["retry_after"] <= 300
    house.script(Words(5), Finish())
    assert house.draw(player, story, "retry", failed.pk).done["state"] == "finished"
    house.narration.bus.channels.clear()
    assert house.resume(player, last_reply(story).pk).to_end().done["retry_after"] is None


def test_who_got_it_is_noted(house: House, player: Player) -> None:
    """Each request to a narrator elsewhere is counted for its author, a failed one too."""
    story = make_story(player.account)
    house.configure(base_url=house.provider.base_url)
    house.script(Status(500, {}, BODY.encode()))
    failed = house.take(player, story)
    assert failed.done["state"] == "failed"
    house.script(Words(5), Finish())
    assert house.draw(player, story, "retry", last_reply(story).pk).done["state"] == "finished"
    (sent,) = list_sent(player.account.pk)
    assert sent.requests == len(house.provider.requests) == 2


def test_a_provider_that_is_not_there(house: House, player: Player, caplog: pytest.LogCaptureFixture) -> None:
    """A refused connection says so without its address; the turn is kept, and a retry reaches the one that is back."""
    caplog.set_level(logging.DEBUG)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    story = make_story(player.account)
    house.configure(base_url=f"http://127.0.0.1:{port}/v1")
    refused = house.take(player, story, "I call the keeper.")
    assert "cannot be reached" in refused.done["say"]
    assert str(port) not in refused.body.decode() + caplog.text
    assert "I call the keeper." in texts_of(story)
    house.configure(base_url=house.provider.base_url)
    assert house.draw(player, story, "retry", last_reply(story).pk).done["state"] == "finished"


def test_a_failed_reply_says_why_on_the_page(house: House, player: Player) -> None:
    """The page that is loaded later shows the same sentence as the stream told."""
    story = make_story(player.account)
    house.script(Words(3), Die())
    told = house.take(player, story).done
    story.refresh_from_db()
    view = reading.read_stretch(story, reading.open_stage(story)).turns[-1]
    assert (view.state, view.problem) == ("failed", told["say"])


def test_a_tab_that_closes_ends_nothing(house: House, player: Player) -> None:
    """The reader leaves after ten words: the whole reply is there on return."""
    story = make_story(player.account)
    house.script(Words(10), Hold(), Words(10), Finish())
    leaver = house.take(player, story).until(lambda reader: reader.text == words(10))
    leaver.leave()
    house.provider.release()
    eventually(lambda: last_reply(story).state == "finished")
    assert text_of(last_reply(story)) == words(20)
    assert house.resume(player, leaver.run, after=len(words(10))).to_end().text == words(20)[len(words(10)) :]


def test_nobody_reads_at_all(house: House, player: Player) -> None:
    """A reader who is gone before the first word leaves a reply that is written to its end."""
    story = make_story(player.account)
    house.script(Hold(), Words(7), Finish())
    leaver = house.take(player, story)
    leaver.begun()
    leaver.leave()
    house.release()
    eventually(lambda: last_reply(story).state == "finished")
    assert text_of(last_reply(story)) == words(7)


@pytest.mark.parametrize("by", ["after", "last"])
def test_resume_from_any_point(by: str, house: House, player: Player) -> None:
    """Whatever a reader has, the rest fits on without gap or repetition: while it runs, when ended, from storage."""
    story = make_story(player.account)
    house.script(Words(12), Hold(), Words(12), Finish())
    first = house.take(player, story).until(lambda reader: reader.text == words(12))
    whole, half = words(24), len(words(12))
    points = [0, 1, 7, half - 1, half, half + 3, len(whole) - 1, len(whole)]
    running = {point: house.resume(player, first.run, **{by: point}) for point in points}
    for reader in running.values():
        reader.begun()
    house.provider.release()
    first.to_end()
    ended = {point: house.resume(player, first.run, **{by: point}) for point in points}
    for point in points:
        assert whole[:point] + running[point].to_end().text == whole
        assert whole[:point] + ended[point].to_end().text == whole
    house.narration.bus.channels.clear()
    for point in points:
        stored = house.resume(player, first.run, **{by: point}).to_end()
        assert whole[:point] + stored.text == whole
        assert stored.done["state"] == "finished"


def test_numbers_lead_back(house: House, player: Player) -> None:
    """The number of each delta is the point from which a reader who has just seen it goes on; so for any sign."""
    story = make_story(player.account)
    whole = "🕯 The lamp — ünd 灯 🕯️ burns."
    house.script(*(act for sign in whole for act in (Text(sign), Sleep(0.005))), Finish())
    first = house.take(player, story).to_end()
    assert first.text == whole
    seen = ""
    for frame in first.deltas:
        seen += frame.data["text"]
        assert frame.ident == len(seen)
        assert seen + house.resume(player, first.run, last=frame.ident).to_end().text == whole


def test_a_second_reader(house: House, player: Player) -> None:
    """A second device reads the same words while they come, and the same ending."""
    story = make_story(player.account)
    house.script(Words(5), Hold(), Words(5), Finish())
    first = house.take(player, story).until(lambda reader: reader.text == words(5))
    second = house.resume(player, first.run).until(lambda reader: reader.text == words(5))
    house.provider.release()
    assert first.done == second.done
    assert first.text == second.text == words(10)


def test_a_page_finds_what_runs_on_its_branch(house: House, player: Player) -> None:
    """A page that is opened anew is told of the running reply of its own path, and not of one on another branch."""
    story = make_story(player.account, turns=3)
    main = story.head_id
    assert main is not None
    branch = revisions.branch_from(story=story, turn=Turn.objects.get(story=story, position=1))
    house.script(Words(3), Hold(), Finish())
    reader = house.take(player, story).until(lambda reader: reader.text == words(3))
    client = signed_in_client(player.account)
    page = reverse("story", args=[story.pk])
    assert f'data-run="{reader.run}"' in client.get(page).content.decode()
    revisions.play_branch(story=story, segment=main)
    assert str(reader.run) not in client.get(page).content.decode()
    revisions.play_branch(story=story, segment=branch.pk)
    house.provider.release()
    reader.to_end()
    assert "data-run=" not in client.get(page).content.decode()


def test_a_sign_of_life_while_nothing_comes(house: House, player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that waits sends comments, so that nobody on its way thinks it dead; they are no words."""
    monkeypatch.setattr(bus, "QUIET_SECONDS", 0.05)
    story = make_story(player.account)
    house.script(Hold(), Words(2), Finish())
    reader = house.take(player, story).until(lambda reader: reader.body.count(b": .\n\n") > 1)
    house.provider.release()
    assert reader.to_end().text == words(2)


def test_stop_keeps_the_words(house: House, player: Player) -> None:
    """Stop ends the reply and the call to the provider at once; what was shown stays, and may be continued."""
    story = make_story(player.account)
    house.script(Words(8), Hold())
    reader = house.take(player, story).until(lambda reader: reader.text == words(8))
    assert house.stop(player, reader.run).status == 204
    assert reader.done == {"state": "stopped", "say": None, "retry": True, "retry_after": None}
    assert (last_reply(story).state, text_of(last_reply(story))) == ("stopped", words(8))
    eventually(lambda: house.provider.abandoned == 1)
    assert house.stop(player, reader.run).status == 204
    house.script(Text(" and on."), Finish())
    onward = house.draw(player, story, "continue", reader.run)
    assert onward.done["state"] == "finished"
    assert text_of(last_reply(story)) == f"{words(8)} and on."


def test_stop_before_the_first_word(house: House, player: Player) -> None:
    """A reply that is stopped while the model reads is an empty, stopped one, and can be drawn again."""
    story = make_story(player.account)
    house.script(Hold())
    reader = house.take(player, story)
    eventually(lambda: bool(house.provider.requests))  # or the next request would get this one's script
    house.stop(player, reader.run)
    assert (reader.done["state"], reader.text) == ("stopped", "")
    assert house.draw(player, story, "regenerate", reader.run).done["state"] == "finished"


def test_a_reply_that_ends_in_the_piece_that_ends_it(house: House, player: Player) -> None:
    """A piece that makes a reply long enough, and the provider's own end with it, are one end that is told."""
    story = make_story(player.account)
    house.script(Text("word " * 900 + "end."), Finish())
    assert house.take(player, story).done["state"] == "finished"
    assert last_reply(story).state == "finished"


def test_a_shutdown_marks_what_runs(house: House, player: Player) -> None:
    """When the program is asked to end, running replies keep their words and are marked as interrupted."""
    story = make_story(player.account)
    house.script(Words(6), Hold())
    reader = house.take(player, story).until(lambda reader: reader.text == words(6))
    house.run(house.narration.close())
    assert reader.done["state"] == "interrupted"
    assert (last_reply(story).state, text_of(last_reply(story))) == ("interrupted", words(6))


def test_after_a_crash_a_reader_is_told(house: House, player: Player) -> None:
    """A reply that no process writes any more is told as interrupted, with its words."""
    story = make_story(player.account, turns=3)
    reply = last_reply(story)
    type(reply).objects.filter(pk=reply.pk).update(state="interrupted")
    told: Any = house.resume(player, reply.pk)
    assert told.done["state"] == "interrupted"
    assert told.text == "Line 2 of the story."


def test_a_narrator_that_spells_holds_nobody_up(house: House, player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long reply that comes letter by letter and ends no sentence, each letter is looked at once: it was the whole
    text for each, and everybody else's words waited for minutes."""
    looks: list[int] = []
    text = bus.Channel.text.fget
    assert text
    monkeypatch.setattr(bus.Channel, "text", property(lambda channel: looks.append(1) or text(channel)))
    house.script(*[Text("x")] * 3_000, Finish())
    story = make_story(player.account)
    assert house.take(player, story).done["state"] == "finished"
    assert text_of(last_reply(story)) == "x" * 3_000
    assert len(looks) < 100


def harm(turn: Turn) -> None:
    """Change one byte of a sealed text."""
    turn.text = Sealed(turn.text[:-1] + bytes([turn.text[-1] ^ 1]))
    turn.save(update_fields=["text"])


def test_a_damaged_text_is_named_and_not_the_narrator(house: House, player: Player) -> None:
    """Where an earlier turn does not open, the line is kept, and the ending says what is damaged, then and later."""
    story = make_story(player.account, turns=3)
    harm(Turn.objects.get(story=story, position=1))
    reading_ = house.take(player, story, "I call the keeper.")
    assert (reading_.done["state"], reading_.done["say"]) == ("failed", TextDamaged.sentence)
    assert house.resume(player, reading_.run).done["say"] == TextDamaged.sentence
    assert not house.provider.requests
    assert text_of(Turn.objects.get(story=story, position=3)) == "I call the keeper."


def test_a_damaged_reply_is_not_gone_on_with(house: House, player: Player) -> None:
    """A clear refusal, and nothing is left running."""
    story = make_story(player.account)
    house.script(Words(5), Finish())
    assert house.take(player, story).done["state"] == "finished"
    harm(last_reply(story))
    refused = house.draw(player, story, "continue", last_reply(story).pk).to_end()
    assert (refused.status, refused.say) == (TextDamaged.status, TextDamaged.sentence)
    assert not Turn.objects.filter(state="running").exists()


def test_a_reply_that_is_stopped_as_it_begins_has_an_ending(house: House, player: Player) -> None:
    """A freeze may fall into the very moment in which a run starts: its reply does not stay running for good."""
    story = make_story(player.account)
    house.script(Words(5), Hold(), Finish())

    async def take_and_stop() -> None:
        await house.database.run(
            lambda: turns.take_turn(scene=scene_of(story), text="I knock.", mode="do", client_id=new_id()),
            begin=house.narration.beginning,
        )
        house.narration.stop_owner(player.account.pk)

    house.run(take_and_stop())
    eventually(lambda: last_reply(story).state == "interrupted")
