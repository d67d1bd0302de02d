"""What is written anew is not lost with its page: it stands in the one that says that it was not kept."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client, RequestFactory

from mindstage.library.materials import open_content
from mindstage.library.models import Material
from mindstage.ui.views import csrf_failure
from mindstage.vault.purposes import Purpose
from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]

FORMS = {
    "/scenarios/": {"name": "The Ferry", "byline": "By night", "premise": "It “rains”.\nStill.", "opening": "<Fog>."},
    "/personas/": {"name": "Mara", "about": "Keeps bees.\n\nAlways has."},
    "/lorebooks/": {"name": "Of a house"},
}
OURS, NOT_OURS = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def browser() -> Client:
    return signed_in_client(make_person("ada"), enforce_csrf_checks=True)


def held(page: str) -> dict[str, str]:
    """The form on the page of a refusal, as a browser sends it again."""
    form = page[page.index("given-back") :].partition("</form>")[0]
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in fields}


@pytest.mark.parametrize("there", FORMS)
def test_what_is_written_anew_outlives_an_old_page(there: str, browser: Client) -> None:
    """Its token is out of date: all fields stand in the page that says so, and are sent again from it."""
    refused = browser.post(there, FORMS[there] | {"csrfmiddlewaretoken": "x" * 64}, headers=OURS)
    page = refused.content.decode()
    assert (refused.status_code, "Send it again" in page) == (403, True)
    again = held(page)
    assert again.items() >= FORMS[there].items()
    assert browser.post(there, again).status_code == 302
    kept = Material.objects.get()
    assert kept.open("name", Purpose.SHOW) == FORMS[there]["name"]
    told = str(open_content(kept, Purpose.SHOW))
    assert all(repr(text)[1:-1] in told for name, text in FORMS[there].items() if name != "name")


@pytest.mark.parametrize("there", FORMS)
def test_what_is_written_anew_outlives_a_session(there: str) -> None:
    """Logged out in another tab meanwhile: it can be sent again after the log-in."""
    refused = Client().post(there, FORMS[there])
    assert refused.status_code == 403
    assert held(refused.content.decode()).items() >= FORMS[there].items()


def test_no_secret_is_given_back(browser: Client) -> None:
    """A form that asks for one is filled in anew."""
    for there in ("/session/new/", "/account/new/", "/account/passphrase/"):
        typed = {
            "handle": "ada",
            "passphrase": "open sesame, lamp",
            "old": "open sesame, lamp",
            "new": "open sesame, lamp",
        }
        for client in (browser, Client(enforce_csrf_checks=True)):
            assert "open sesame" not in client.post(there, typed, headers=OURS).content.decode()


def test_another_sites_form_is_not_read() -> None:
    """Its words are not shown under our name, nor is its body taken apart."""
    for said, read in ((OURS, True), (NOT_OURS, False)):
        request = RequestFactory().post("/scenarios/", FORMS["/scenarios/"], headers=said)
        page = csrf_failure(request).content.decode()
        assert ("The Ferry" in page, hasattr(request, "_post")) == (read, read)
