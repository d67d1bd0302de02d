"""Answers that several views of this room give."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token

from mindstage.accounts.access import safe_next, visitor_of
from mindstage.accounts.cookies import give_cookie
from mindstage.accounts.devices import device_class
from mindstage.accounts.forms import DoorForm
from mindstage.accounts.models import User
from mindstage.accounts.rate_limits import TooManyTries, network_of
from mindstage.accounts.sessions import begin_session, end_session


def enter(request: HttpRequest, account: User, target: str) -> HttpResponse:
    """Begin a session in this browser, end the one it had, and go on to `target`."""
    if former := visitor_of(request):
        end_session(former.key_hash)
    cookie = begin_session(account, device_of(request))
    rotate_token(request)
    response = HttpResponseRedirect(safe_next(target))
    give_cookie(request, response, cookie)
    return response


def too_many_tries(form: DoorForm, refusal: TooManyTries, render: Callable[[int], HttpResponse]) -> HttpResponse:
    """The form again, with when to try again."""
    form.add_error(None, refusal.sentence)
    response = render(429)
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def network_asking(request: HttpRequest) -> bytes:
    """The pseudonym of the asking client's network.

    Behind a proxy everybody comes from the proxy's address, and one person's wrong tries would close the door to all.
    So there it is the last address in X-Forwarded-For: the one that the proxy itself has added.
    """
    address: str = request.META.get("REMOTE_ADDR", "")
    if settings.MINDSTAGE.https:
        address = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or address
    return network_of(address)


def device_of(request: HttpRequest) -> str:
    """The coarse class of the asking device."""
    return device_class(request.headers.get("User-Agent", ""))
