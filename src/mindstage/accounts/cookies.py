"""The session cookie and the short one of the doorstep: random keys, for this site, out of the reach of scripts."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from mindstage.accounts.doorsteps import LASTS
from mindstage.accounts.sessions import ABSOLUTE

DOOR = "door"


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


def give_door_cookie(request: HttpRequest, response: HttpResponse, cookie: str) -> None:
    """Set the cookie of a doorstep on an answer."""
    age = int(LASTS.total_seconds())
    response.set_cookie(DOOR, cookie, max_age=age, httponly=True, samesite="Lax", secure=request.is_secure())


def take_door_cookie_back(response: HttpResponse) -> None:
    """Tell the browser to drop the cookie of a doorstep."""
    response.delete_cookie(DOOR, samesite="Lax")
