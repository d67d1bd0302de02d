"""Answers that several views of this room give."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.urls import reverse

from mindstage.accounts.access import safe_next, visitor_of
from mindstage.accounts.cookies import give_cookie, give_door_cookie
from mindstage.accounts.devices import device_class
from mindstage.accounts.doorsteps import Step, make_doorstep
from mindstage.accounts.forms import DoorForm
from mindstage.accounts.models import User
from mindstage.accounts.passkeys import Site, find_site
from mindstage.accounts.rate_limits import TooManyTries, network_of
from mindstage.accounts.recovery_codes import make_recovery_codes
from mindstage.accounts.sessions import begin_session, end_session, keep_proof
from mindstage.accounts.totp import uses_totp
from mindstage.ui.views import problem


def admit(request: HttpRequest, account: User, target: str, *, recovered: bool = False) -> HttpResponse:
    """Let somebody in who gave a first factor; or, where one-time codes are on, ask for the second before anything."""
    if not uses_totp(account.pk):
        return enter(request, account, target, proven=recovered)
    content = {"account": account.pk.hex, "check": check_of(account), "next": target, "recovered": recovered}
    response = HttpResponseRedirect(reverse("second_factor"))
    give_door_cookie(request, response, make_doorstep(Step.SECOND_FACTOR, **content))
    return response


def enter(request: HttpRequest, account: User, target: str, *, proven: bool = False) -> HttpResponse:
    """Begin a session in this browser, end the one it had, and go on to `target`."""
    response = HttpResponseRedirect(safe_next(target))
    begin_session_here(request, response, account, proven=proven)
    return response


def begin_session_here(request: HttpRequest, response: HttpResponse, account: User, *, proven: bool = False) -> None:
    """Give an answer the cookie of a new session. `proven`: key changes are open in it for ten minutes."""
    if former := visitor_of(request):
        end_session(former.key_hash)
    cookie = begin_session(account, device_of(request))
    if proven:
        keep_proof(cookie)
    rotate_token(request)
    give_cookie(request, response, cookie)


def check_of(account: User) -> str:
    """Changes with the passphrase and with each log-out everywhere: a doorstep outlives neither. Kept sealed."""
    return hashlib.sha256(f"{account.log_outs}|{account.password}".encode()).hexdigest()


def show_sheet(request: HttpRequest, account: User, target: str, *, announce: bool = True) -> HttpResponse:
    """Make a sheet of recovery codes and go to the page that shows it, this once."""
    codes = make_recovery_codes(account=account, announce=announce)
    query = urlencode({"next": safe_next(target)}) if target else ""
    response = HttpResponseRedirect(f"{reverse('recovery_codes')}{'?' if query else ''}{query}")
    give_door_cookie(request, response, make_doorstep(Step.SHEET, account=account.pk.hex, codes=codes))
    return response


def network_here(request: HttpRequest) -> bytes:
    """The pseudonym of the asking network. Of a proxy that the settings name, the server has taken its word."""
    return network_of(request.META.get("REMOTE_ADDR", ""))


def site_here(request: HttpRequest) -> Site | None:
    """The site that a passkey of this browser would belong to, or None where there can be none."""
    return find_site(request.get_host(), secure=request.is_secure())


def localhost_instead(request: HttpRequest) -> str:
    """This page under the loopback name, for a browser that opened it under 127.0.0.1 and so is offered no passkey."""
    host, colon, port = request.get_host().rpartition(":")
    loopback = (host or port) in ("127.0.0.1", "[::1]")
    return f"http://localhost{colon}{port if host else ''}{request.path}" if loopback else ""


def too_many(request: HttpRequest, refusal: TooManyTries, *, title: str) -> HttpResponse:
    """A page that says how long to wait, where no form can say it. `title` says what is as before."""
    response = problem(request, status=429, title=title, sentence=refusal.sentence)
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def too_many_tries(form: DoorForm, refusal: TooManyTries, render: Callable[[int], HttpResponse]) -> HttpResponse:
    """The form again, with when to try again."""
    form.add_error(None, refusal.sentence)
    response = render(429)
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def device_of(request: HttpRequest) -> str:
    """The coarse class of the asking device."""
    return device_class(request.headers.get("User-Agent", ""))
