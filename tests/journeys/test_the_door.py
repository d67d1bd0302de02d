"""Sign-up and log-in, when they say no."""

from __future__ import annotations

import sqlite3

import pytest
from playwright.sync_api import expect

from journeys.conftest import Come
from journeys.visitor import PASSPHRASE
from system.program import Program

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]


def test_under_thirteen_is_refused_and_nothing_is_stored(come: Come, program: Program) -> None:
    """A child is told kindly, and no row of any table of either database is more than before."""
    visitor = come()
    visitor.allow(422)
    before = rows(program)
    visitor.sign_up("too-young", band="under_13")
    expect(visitor.page.locator(".problem, [role=alert]").first).to_contain_text("13")
    assert rows(program) == before
    assert all(cookie["name"] != "session" for cookie in visitor.context.cookies())
    visitor.allow(401, 403)
    visitor.log_in("too-young")
    expect(visitor.page.get_by_role("alert")).to_be_visible()


def test_a_wrong_passphrase_is_a_sentence(come: Come) -> None:
    """Wrong passphrase and unknown handle say the same; the handle stays, and the next try begins at once."""
    visitor = come()
    visitor.allow(401, 403, 422)
    handle = visitor.sign_up()
    visitor.log_out()
    visitor.log_in(handle, "not the passphrase at all")
    said = visitor.page.get_by_role("alert").inner_text()
    expect(visitor.page.get_by_label("Handle")).to_have_value(handle)
    expect(visitor.page.get_by_label("Passphrase")).to_be_focused()
    visitor.log_in("nobody-of-that-name", "not the passphrase at all")
    assert visitor.page.get_by_role("alert").inner_text() == said
    assert said.strip().endswith(".")
    visitor.log_in(handle, PASSPHRASE)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("The house is yours")


def test_a_signed_out_reader_is_led_to_the_door_and_back(come: Come, program: Program) -> None:
    """An address of one's own asks for the passphrase first, then shows what was asked for."""
    visitor = come()
    handle = visitor.sign_up()
    visitor.log_out()
    page = visitor.go("/characters/new/")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bring a character")


def test_another_persons_story_is_not_there(come: Come) -> None:
    """A story's address shows nothing to somebody else but a page that says so and leads on."""
    ada, cleo = come(), come()
    ada.sign_up()
    path = ada.begin()
    cleo.sign_up()
    cleo.allow(404)
    cleo.go(path)
    expect(cleo.page.locator("body")).not_to_contain_text("Marit")
    expect(cleo.page.get_by_role("link", name="To your desk")).to_be_visible()


ITS_OWN = ("rights_policyversion", "vault_backupkey")
"""Tables of the instance itself, which its worker fills as soon as it runs."""
OF_NOBODY = {"accounts_accesscount": "WHERE owner NOT IN (SELECT id FROM accounts_user)"}
"""What is counted for people who are here is stored every few seconds, also after a journey that has just ended."""


def rows(program: Program) -> dict[str, int]:
    """How many rows each table of both databases has; of counts, how many that are no living account's."""
    counts = {}
    for file in sorted(program.data.rglob("*.sqlite3")):
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        # The clocks of the instance itself go on meanwhile.
        tables = [name for name in tables if not name.startswith(("ops_", "sqlite_", "django_", *ITS_OWN))]
        for table in tables:
            counted = f'SELECT count(*) FROM "{table}" {OF_NOBODY.get(table, "")}'
            counts[f"{file.name}:{table}"] = connection.execute(counted).fetchone()[0]
        connection.close()
    assert any("user" in name for name in counts)
    return counts
