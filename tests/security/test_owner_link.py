"""The one-time owner link works in a real browser, whose forms say where they come from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from system.program import Program

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.xdist_group("open-doors")]


def test_the_first_account_is_made_through_the_link(
    running_program: Callable[..., Program], open_page: Callable[..., Page]
) -> None:
    """A page without a referrer sends its form as `Origin: null`, which is refused: this page must not be one."""
    program = running_program()
    page = open_page(f"{program.address}{program.owner_path}")
    page.get_by_label("Handle").fill("Owner")
    page.get_by_label("Passphrase").fill("a quiet lamp at night")
    page.get_by_text("18 or over").click()
    page.get_by_role("button", name="Create the account").click()
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_title("Your desk · Mindstage")
