"""What goes into the next turn: a partial for the script of a story's page, a page for whoever opens its address."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mindstage.accounts.models import User
from people import make_person, signed_in_client
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


def test_its_address_is_a_page_by_itself(ada: User) -> None:
    """With everything around it, and the way back; the script gets what it places alone; nobody else anything."""
    story = make_story(ada, turns=3)
    path, client = reverse("context", args=[story.pk]), signed_in_client(ada)
    page = client.get(path).content.decode()
    assert "<html" in page
    assert 'rel="stylesheet"' in page
    assert f'href="{reverse("story", args=[story.pk])}"' in page
    assert 'id="meter"' in page
    assert 'id="lore"' in page
    partial = client.get(path, headers={"X-Partial": "1"}).content.decode()
    assert "<html" not in partial
    assert 'id="meter"' in partial
    assert signed_in_client(make_person("cleo")).get(path).status_code == 404
