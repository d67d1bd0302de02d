"""An erasure as somebody asks for it in a real browser: log in, *Your data*, delete the account, type the handle."""

from __future__ import annotations

from playwright.sync_api import Browser

from mindstage.ops.census.leaving import Ask
from mindstage.ops.census.visit import Visit

PATIENCE = 20_000  # milliseconds; two slow cores, shared


def ask_in_chromium(browser: Browser) -> Ask:
    """For a census: it brings the page that shows the claim code."""

    def ask(visit: Visit) -> str:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        try:
            page.goto(f"http://127.0.0.1:{visit.browser.port}/session/new/")
            page.fill("input[name=handle]", visit.person.handle)
            page.fill("input[name=passphrase]", visit.person.passphrase)
            page.get_by_role("button", name="Log in").click()
            page.fill("input[name=code]", visit.codes.pop())
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url("**/")
            page.goto(f"http://127.0.0.1:{visit.browser.port}/your-data/")
            page.locator("a[href='/your-data/erasures/']").first.click()
            page.fill("input[name=passphrase]", visit.person.passphrase)
            page.locator("form[action='/session/proof/'] button").first.click()
            page.fill("main input[name=handle]", visit.person.handle)
            page.get_by_role("button", name="Freeze now, delete in 7 days").click()
            page.locator(".claim").wait_for()
            return page.content()
        finally:
            context.close()

    return Ask("in Chromium", ask)
