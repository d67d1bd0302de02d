"""The way through the house marks where one is."""

from __future__ import annotations

import re

import pytest

from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/", ["/ page"]),
        ("/stories/", ["/ true"]),
        ("/characters/", ["/characters/ page"]),
        ("/lorebooks/new/", ["/characters/ true"]),
        ("/your-data/", ["/your-data/ page"]),
        ("/trash/", ["/your-data/ true"]),
        ("/account/", []),
        ("/no/such/page/", []),
    ],
)
def test_one_place_at_most_is_marked(path: str, marked: list[str]) -> None:
    """Also below a place; and a page that is nowhere marks none."""
    page = signed_in_client(make_person("ada")).get(path).content.decode()
    nav = page[page.index('<nav class="nav"') : page.index("</nav>")]
    assert [" ".join(found) for found in re.findall(r'href="([^"]+)" aria-current="(\w+)"', nav)] == marked
