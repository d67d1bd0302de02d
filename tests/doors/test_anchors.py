"""Whatever leads to a place on a page finds it there: links, and what forms without scripts lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

import pytest
from django.test import Client

import mindstage
from doors.addresses import patterns
from doors.house import House, address
from people import signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)

LEAVING = {"/session/end/", "/account/sessions/end/"}
"""Forms that end this walk."""


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """The identifiers of a page, its links to places, and what each button of its forms would send."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__()
        self.path, self.ids, self.places, self.forms = path, set[str](), set[str](), list[Form]()
        self._form: Form | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        if tag == "a" and urldefrag(given.get("href", "")).fragment:
            self.places.add(urljoin(self.path, given["href"]))
        if tag == "form" and given.get("method", "").lower() == "post":
            self._form = Form(urljoin(self.path, given.get("action") or self.path))
            self.forms.append(self._form)
        if self._form and tag in ("input", "button") and given.get("name"):
            self._form.fields.setdefault(given["name"], given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None


def look_at(client: Client, path: str) -> Page | None:
    """A page at a path, or None where there is none."""
    answer: Any = client.get(path)
    is_page = answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("text/html")
    return Page(path, answer.content.decode()) if is_page else None


def pages(house: House, client: Client) -> Iterator[Page]:
    """Every page of the house, as Ada sees it."""
    for name, route in patterns():
        if page := look_at(client, address(house, name, route)):
            yield page


def has_place(page: Page | None, url: str) -> bool:
    return page is not None and urldefrag(url).fragment in page.ids


def test_every_link_to_a_place_finds_it(house: House) -> None:
    """On its own page or on another one of the program."""
    client = signed_in_client(house.ada)
    links = {place for page in pages(house, client) for place in page.places if place.startswith("/")}
    assert len(links) > 20
    led_to = {path: look_at(client, path) for path in {urldefrag(link).url for link in links}}
    assert [link for link in sorted(links) if not has_place(led_to[urldefrag(link).url], link)] == []


def test_every_form_that_leads_to_a_place_finds_it(house: House) -> None:
    """Each form of each page, sent as a browser without scripts would: where it leads to is there."""
    client = signed_in_client(house.ada)
    forms = {form.action: form for page in pages(house, client) for form in page.forms}
    assert len(forms) > 20
    led: dict[str, bool] = {}
    for action, form in forms.items():
        if action not in LEAVING:
            client = signed_in_client(house.ada)
            place = client.post(action, form.fields).headers.get("Location", "")
            if "#" in place:
                led[place] = has_place(look_at(client, urldefrag(place).url), place)
    assert set(led) >= {"/your-data/consents/#ask-training", "/your-data/consents/#ask-improvement"}
    assert [place for place, found in led.items() if not found] == []


def test_no_other_form_leads_to_a_place() -> None:
    """What the walk above cannot reach is known: turns, which need running replies; links lead to the same places."""
    root = Path(mindstage.__file__).parent
    leads = {
        str(file.relative_to(root)): re.findall(r"Redirect\(f?\"[^\"]*#([\w-]+)", file.read_text())
        for file in root.rglob("*.py")
    }
    assert {file: found for file, found in leads.items() if found} == {
        "library/views/materials.py": ["more"],
        "rights/views/consents.py": ["ask-"],
        "stories/views/turns.py": ["end", "end", "end", "t-"],
    }


def test_each_place_that_a_form_names_is_on_its_page(house: House) -> None:
    """Whoever had to prove first who they are is led back there by a link (accounts/step_up.py)."""
    client = signed_in_client(house.ada)
    named = [
        (page, form.fields["place"]) for page in pages(house, client) for form in page.forms if "place" in form.fields
    ]
    assert [page.path for page, _ in named] != []
    assert [(page.path, place) for page, place in named if place not in page.ids] == []
