"""Step-up: before keys are changed, or everything is taken out or ended, the person proves again who they are.

`@require_step_up` under `@require_visitor` lets nobody through whose last proof in this browser is older than ten
minutes: they are led to the proof page and come back. A form is not sent on by itself; its page is shown again,
and says so. A field that is hard to type again waits there (`keep_typed`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from mindstage.accounts.access import SignedInRequest, safe_next
from mindstage.accounts.doorsteps import Step, end_doorstep, keep_for_session, look_at_doorstep, of_session
from mindstage.accounts.sessions import keep_proof, proof_of
from mindstage.kit import clock
from mindstage.ui.views import problem

LASTS = timedelta(minutes=10)
AGAIN = "again"
"""In the address of a page that somebody comes back to: what they had pressed there waits to be pressed once more.

A form on a long page names its place on it, as the field `place`; the page then leads there.
"""
PLACE = re.compile("[a-z-]{1,30}")


def require_step_up[**P](
    view: Callable[Concatenate[SignedInRequest, P], HttpResponse],
) -> Callable[Concatenate[SignedInRequest, P], HttpResponse]:
    """Only with a fresh proof; others are led to it."""

    @wraps(view)
    def guarded(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, *args, **kwargs) if is_proven(request) else lead_to_proof(request)

    return guarded


def is_proven(request: HttpRequest) -> bool:
    """Whether this browser's person proved who they are within the last ten minutes."""
    return has_fresh_proof(_cookie(request))


def has_fresh_proof(cookie: str) -> bool:
    """The same of a session's cookie, for what is no page."""
    proven = proof_of(cookie)
    return proven is not None and timedelta(0) <= clock.now() - proven < LASTS


def prove(request: HttpRequest) -> None:
    """The person has just given a passphrase, a code or a passkey."""
    keep_proof(_cookie(request))


def lead_to_proof(request: HttpRequest) -> HttpResponse:
    """To the proof page, and from there back to this page, or to the page whose form this was."""
    if request.headers.get("Sec-Fetch-Dest", "document") != "document":
        return problem(
            request,
            status=403,
            title="Please show again that it is you",
            sentence="Nothing was changed: this asks for your passphrase or passkey again.",
            next_step="Do it on your account page, then try once more.",
        )
    response = HttpResponseRedirect(f"{reverse('proof')}?{urlencode({'next': _page_of(request)})}")
    response.headers["Cache-Control"] = "no-store"
    return response


def keep_typed(request: HttpRequest, step: Step, **typed: str) -> None:
    """What stood in a form whose sender is now led to the proof, for ten minutes and this browser alone."""
    keep_for_session(_cookie(request), step, **typed)


def what_was_typed(request: HttpRequest, step: Step) -> dict[str, str]:
    """The same, for the page that one comes back to; empty when nothing waits."""
    if AGAIN not in request.GET:
        return {}
    kept = look_at_doorstep(of_session(_cookie(request), step), step) or {}
    return {name: value for name, value in kept.items() if name != "step"}


def forget_typed(request: HttpRequest, step: Step) -> None:
    """It was used."""
    end_doorstep(of_session(_cookie(request), step))


def _page_of(request: HttpRequest) -> str:
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = urlsplit(request.headers.get("Referer", ""))
    if came_from.netloc != request.get_host():
        return reverse("account")
    words = [word for word in came_from.query.split("&") if word and word.partition("=")[0] != AGAIN]
    place = request.POST.get("place", "")
    words.append(f"{AGAIN}={place}" if PLACE.fullmatch(place) else AGAIN)
    return safe_next(came_from._replace(scheme="", netloc="", query="&".join(words)).geturl())


def _cookie(request: HttpRequest) -> str:
    return request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
