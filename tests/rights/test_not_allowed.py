"""An address that takes forms alone, opened from the history or by hand, is a page like any other refusal."""

from __future__ import annotations

import pytest
from django.test import Client

from people import make_person, signed_in_client

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]
FORMS = (
    "/your-data/imports/",
    "/your-data/freeze/",
    "/your-data/freeze/end/",
    "/your-data/erasures/end/",
    "/your-data/consents/training/",
    "/session/end/",
    "/theme/",
)


@pytest.mark.parametrize("path", FORMS)
def test_it_says_what_to_do(path: str) -> None:
    """It did nothing, says so, shows a way on, and tells programs which method is right; a stranger gets no more."""
    for client in (signed_in_client(make_person("ada")), Client()):
        answer = client.get(path)
        page = answer.content.decode()
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert "Nothing was changed." in page
        assert "press it there" in page
        assert 'href="/"' in page
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert client.head(path).headers["Allow"] == "POST"


def test_what_is_only_read_takes_nothing() -> None:
    """The other way round."""
    answer = signed_in_client(make_person("ada")).post("/your-data/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert "takes nothing that is sent to it" in answer.content.decode()
