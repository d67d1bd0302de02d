"""Behind a proxy that speaks HTTPS, our own pages are still our own, and others' are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mindstage.streaming.raw import ForeignPage, Request, check_origin, read_request


def asked(origin: bytes, *, secure: bool) -> Request:
    headers = {b"host": b"localhost", b"origin": origin}
    return Request("POST", ("stories",), headers, b"", secure)


def test_an_https_origin_is_ours_when_the_page_came_by_https() -> None:
    check_origin(asked(b"https://localhost", secure=True))
    with pytest.raises(ForeignPage):
        check_origin(asked(b"http://localhost", secure=True))


def test_the_configuration_says_that_people_come_by_https(settings: Any) -> None:
    """The proxy speaks plain HTTP to us, so the request itself cannot say it."""
    settings.MINDSTAGE = replace(settings.MINDSTAGE, https=True)
    scope = {"method": "POST", "path": "/stream/stories/x/turns", "headers": [], "query_string": b"", "scheme": "http"}
    assert read_request(scope).secure
