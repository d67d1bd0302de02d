"""What can be done with turns: stop, continue, try again, edit, delete, and none of it loses a word."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from fakes.provider import Die, Finish, Hold, Text, ThreadedFakeProvider, Words
from journeys.visitor import Visitor, all_words, last, last_but, positions, prose, tool, top_of
from stories.house import eventually

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

FIRST, SECOND = "She lifts the bar without a word.", "She shakes her head and points at the stool."


def stop_in_mid_sentence(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Play a line, and stop its reply: what was shown stands there."""
    narrator.play(Text("The rope creaks, once, "), Hold(), Text("and never again."), Finish())
    player.write("I pull the rope.")
    player.page.keyboard.press("Enter")
    expect(last(player.page)).to_contain_text("The rope creaks, once,")
    player.page.get_by_role("button", name="Stop").click()
    assert prose(player.hear()).startswith("The rope creaks, once")


def test_stop_keeps_the_words_and_continue_goes_on(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Stop leaves exactly what was shown; Continue lets the narrator go on from there with a turn of its own."""
    page = player.page
    stop_in_mid_sentence(player, narrator)
    expect(page.locator("#live")).to_have_text("Stopped. The words up to here are kept.")
    narrator.play(Text("Somebody answers from above."), Finish())
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(last(page)).to_contain_text("Somebody answers from above.")
    player.hear()
    page.reload()
    words = all_words(page)
    assert words[-2].startswith("The rope creaks, once")
    assert words[-1] == "Somebody answers from above."


def test_a_stopped_reply_can_be_finished(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """In its own place, from the words that stand there; one that ended with its sentence offers no such thing."""
    page = player.page
    stop_in_mid_sentence(player, narrator)
    turns = page.locator("#turns > .turn").count()
    narrator.play(Text("and is still."), Finish())
    last(page).get_by_role("button", name="Finish it").click()
    expect(last(page)).to_contain_text("The rope creaks, once, and is still.")
    player.hear()
    expect(last(page).get_by_role("button", name="Try again")).to_be_visible()
    expect(last(page).get_by_role("button", name="Finish it")).to_have_count(0)
    expect(page.locator("#turns > .turn")).to_have_count(turns)


def test_a_double_click_on_play_stops_nothing(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Stop takes the place of Play under the pointer, and hears only a click that was meant for it."""
    page = player.page
    narrator.play(Text("The rope creaks, "), Hold(), Text("and never again."), Finish())
    player.write("I pull the rope.")
    page.get_by_role("button", name="Play").dblclick()
    expect(last(page)).to_contain_text("The rope creaks,")
    narrator.release()
    assert prose(player.hear()) == "The rope creaks, and never again."


def test_stop_before_the_first_word_says_so(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """A reply that was stopped before it began is no empty hole: it says so and can be tried again."""
    narrator.play(Hold(), Text("Too late."), Finish())
    player.write("I change my mind.")
    player.page.keyboard.press("Enter")
    eventually(lambda: narrator.holding)  # stopped before the request leaves, its script would wait for the next one
    player.page.get_by_role("button", name="Stop").click()
    stopped = player.hear()
    expect(stopped).to_contain_text("Stopped before the first word.")
    tool(stopped, "Try again")
    expect(last(player.page)).to_contain_text("The bell hums")
    assert prose(player.hear()).startswith("The bell hums")


def test_a_reply_that_broke_off_is_finished(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """A reply that ended in trouble keeps its words, says so, and Finish it goes on from the last word."""
    page = player.page
    narrator.play(Text("The lamp gutters and "), Die())
    reply = player.play("I hold up the lamp.")
    expect(reply.locator(".note")).to_contain_text("broke off")
    narrator.play(Text("goes out."), Finish())
    reply.get_by_role("button", name="Finish it").click()
    expect(last(page)).to_contain_text("goes out.")
    reply = player.hear()
    assert " ".join(prose(reply).split()) == "The lamp gutters and goes out."
    expect(reply.locator(".note")).to_have_count(0)


def test_versions_are_kept_and_can_be_switched(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Try again writes a second version beside the first, and the arrows turn between them without moving the page."""
    page = player.page
    narrator.play(Text(FIRST), Finish())
    reply = player.play("I knock.")
    narrator.play(Text(SECOND), Finish())
    tool(reply, "Try again")
    reply = player.hear()
    expect(reply.locator(".swap")).to_contain_text("2/2")
    assert prose(reply) == SECOND
    reply.get_by_role("button", name="Previous version").click()
    expect(last(page).locator(".swap")).to_contain_text("1/2")
    assert prose(last(page)) == FIRST
    before = page.locator("story-reader").evaluate("it => it.scrollTop")
    page.get_by_label("Your line").focus()
    page.keyboard.press("ArrowRight")
    expect(last(page).locator(".swap")).to_contain_text("2/2")
    assert page.locator("story-reader").evaluate("it => it.scrollTop") == before
    page.reload()
    assert prose(last(page)) == SECOND


def test_an_edit_keeps_the_old_text(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """An edited turn of either side is a new version; the old one is an arrow away, also after a reload."""
    page = player.page
    player.play("I knok.")
    for position, new in ((1, "I knock, twice."), (2, "Marit *waits*.")):
        turn = page.locator(f'.turn[data-position="{position}"]')
        old = prose(turn)
        tool(turn, "Edit")
        turn.get_by_role("textbox").fill(new)
        turn.get_by_role("button", name="Save as a new version").click()
        expect(turn.locator(".swap")).to_contain_text("2/2")
        expect(turn.locator(".prose")).to_have_text(new.replace("*", ""))
        page.reload()
        turn.get_by_role("button", name="Previous version").click()
        expect(turn.locator(".swap")).to_contain_text("1/2")
        assert prose(turn) == old


def test_an_edit_can_be_undone_at_once(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """The version that was edited is shown again, whichever it was; nothing but blanks is no version, and says so."""
    page = player.page
    player.play("I knok.")
    turn = page.locator('.turn[data-position="1"]')
    tool(turn, "Edit")
    turn.get_by_role("textbox").fill("I knock, twice.")
    turn.get_by_role("button", name="Save as a new version").click()
    expect(turn.locator(".prose")).to_have_text("I knock, twice.")
    page.get_by_role("button", name="Undo").click()
    expect(turn.locator(".prose")).to_have_text("I knok.")
    expect(turn.locator(".swap")).to_contain_text("1/2")
    player.allow(400)
    tool(turn, "Edit")
    turn.get_by_role("textbox").fill("   ")
    turn.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("A version needs words.")).to_be_visible()


def test_an_edit_that_is_let_go_can_be_taken_up_again(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Escape closes without a question, and the words are a key away; an edit that changed nothing says nothing."""
    page = player.page
    player.play("I knok.")
    turn = page.locator('.turn[data-position="1"]')
    tool(turn, "Edit")
    page.keyboard.press("Escape")
    expect(turn.get_by_role("textbox")).to_be_hidden()
    expect(page.get_by_text("The turn stays as it was.")).to_have_count(0)
    tool(turn, "Edit")
    turn.get_by_role("textbox").fill("I knock, twice.")
    page.keyboard.press("Escape")
    expect(turn.locator(".prose")).to_have_text("I knok.")
    page.get_by_role("button", name="Back to my edit").click()
    expect(turn.get_by_role("textbox")).to_have_value("I knock, twice.")
    expect(turn.get_by_role("textbox")).to_be_focused()
    turn.get_by_role("button", name="Save as a new version").click()
    expect(turn.locator(".prose")).to_have_text("I knock, twice.")


def test_a_line_that_is_sent_too_early_says_so_and_stays(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Enter while the narrator writes is not silent; when the reply has ended, the sentence goes."""
    page = player.page
    narrator.play(Text("The rope creaks, "), Hold(), Text("and never again."), Finish())
    player.write("I pull the rope.")
    page.keyboard.press("Enter")
    expect(last(page)).to_contain_text("The rope creaks,")
    player.write("I let it go.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("still writing")
    narrator.release()
    player.hear()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label("Your line")).to_have_value("I let it go.")


def test_the_narrator_reads_what_was_chosen(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """After an edit the next prompt has the new words and not the old ones."""
    player.play("I open the green door.")
    turn = player.page.locator('.turn[data-position="1"]')
    tool(turn, "Edit")
    turn.get_by_role("textbox").fill("I open the red door.")
    turn.get_by_role("button", name="Save as a new version").click()
    expect(turn.locator(".prose")).to_contain_text("red door")
    player.play("I go in.")
    sent = str(narrator.requests[-1].body["messages"])
    assert "red door" in sent
    assert "green door" not in sent


def test_delete_and_undo_do_not_move_what_is_read(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """A deleted turn goes at once and comes back with Undo; the turn being read stays where it stands."""
    page = player.page
    narrator.always(Words(120), Finish())
    for line in ("One.", "Two.", "Three."):
        player.play(line)
    before = all_words(page)
    read = '.turn[data-position="4"]'
    page.locator(read).scroll_into_view_if_needed()
    page.locator("story-reader").evaluate("it => { it.scrollTop -= 40; }")
    top = top_of(page, read)
    tool(page.locator('.turn[data-position="5"]'), "Delete")
    expect(page.locator('.turn[data-position="5"]')).to_have_count(0)
    assert abs(top_of(page, read) - top) < 2
    page.get_by_role("button", name="Undo").click()
    expect(page.locator('.turn[data-position="5"]')).to_have_count(1)
    assert abs(top_of(page, read) - top) < 2
    assert all_words(page) == before
    page.reload()
    assert all_words(page) == before


def test_delete_above_what_is_read_does_not_move_it(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Deleting a turn that has scrolled out above leaves the line being read in its place, and so does Undo."""
    page = player.page
    narrator.always(Words(200), Finish())
    for line in ("One.", "Two.", "Three.", "Four."):
        player.play(line)
    read = last_but(page, 1)
    gone = '.turn[data-position="4"]'
    top = top_of(page, read)
    assert page.locator(gone).bounding_box()["y"] < 0, "it must be out of sight for this"  # type: ignore[index]
    page.locator(f"{gone} [data-trash]").evaluate("button => button.click()")
    expect(page.locator(gone)).to_have_count(0)
    assert abs(top_of(page, read) - top) < 2
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(gone)).to_have_count(1)
    assert abs(top_of(page, read) - top) < 2


def test_a_double_click_is_one_turn(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Play pressed twice, and Enter on top, takes one turn."""
    page = player.page
    player.write("I knock once.")
    page.get_by_role("button", name="Play").dblclick()
    page.keyboard.press("Enter")
    player.hear()
    page.reload()
    assert positions(page) == [0, 1, 2]
    assert len([words for words in all_words(page) if words == "I knock once."]) == 1


def test_a_branch_leaves_the_old_way_alone(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Branch from here begins another way; the first is still there, whole, on the branches page."""
    page = player.page
    narrator.play(Text(FIRST), Finish())
    player.play("I go left.")
    before = all_words(page)
    with page.expect_navigation():
        tool(page.locator('.turn[data-position="0"]'), "Branch")
    expect(page.locator("#turns > .turn")).to_have_count(1)
    narrator.play(Text(SECOND), Finish())
    player.play("I go right.")
    page.locator("details.menu summary").last.click()
    page.get_by_role("link", name="Branches").click()
    expect(page.locator(".branch")).to_have_count(2)
    page.get_by_role("button", name="Play this branch").click()
    page.wait_for_url("**/stories/*/")
    assert all_words(page) == before
