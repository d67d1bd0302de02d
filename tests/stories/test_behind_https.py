"""Behind a proxy that speaks HTTPS, our own pages are still our own, and others' are not."""

from __future__ import annotations

import pytest

from mindstage.streaming.raw import ForeignPage, Request, check_origin


def asked(origin: bytes, *, secure: bool) -> Request:
    headers = {b"host": b"localhost", b"origin": origin}
    return Request("POST", ("stories",), headers, b"", secure)


def test_an_https_origin_is_ours_when_the_page_came_by_https() -> None:
    check_origin(asked(b"https://localhost", secure=True))
    with pytest.raises(ForeignPage):
        check_origin(asked(b"http://localhost", secure=True))
