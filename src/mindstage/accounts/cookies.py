"""The session cookie: a random key, for this site alone, out of the reach of scripts."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from mindstage.accounts.sessions import ABSOLUTE


def give_cookie(request: HttpRequest, response: HttpResponse, cookie: str) -> None:
    """Set the session cookie on an answer."""
    response.set_cookie(
        settings.SESSION_COOKIE_NAME,
        cookie,
        max_age=int(ABSOLUTE.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )


def take_cookie_back(response: HttpResponse) -> None:
    """Tell the browser to drop the session cookie."""
    response.delete_cookie(settings.SESSION_COOKIE_NAME, samesite="Lax")
