"""The owner link of the first start, followed in a real browser."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Page

from system.program import Program, Start

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("promises")]


def test_the_printed_link_makes_the_owner(running_program: Start, open_page: Callable[..., Page]) -> None:
    """Whoever follows the link and signs up owns the instance; the link is spent then, and none is printed again."""
    program = running_program(afresh=True)
    page = open_page(f"{program.address}{program.owner_path}")
    page.fill("[name=handle]", "Marisol")
    page.fill("[name=passphrase]", "velvet lamp nine stairs")
    page.check("[name=age_band][value='18_plus']")
    with page.expect_navigation():
        page.click("main button.btn-go")
    with page.expect_navigation():
        page.get_by_role("link", name="I have kept them").click()
    assert page.url == f"{program.address}/"
    assert owners(program) == [1]
    assert program.get(program.owner_path or "")[0] == 404
    program.stop()
    program.start()
    assert program.said().count("/owner/") == 1


def owners(program: Program) -> list[int]:
    """The owner mark of each account."""
    with closing(sqlite3.connect(program.data / "database" / "mindstage.sqlite3")) as database:
        return [mark for (mark,) in database.execute("SELECT owner FROM accounts_user")]
