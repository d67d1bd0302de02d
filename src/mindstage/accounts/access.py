"""Who may ask for what: a view that shows or changes something personal stands behind `require_visitor`.

Whether a row is theirs is asked where the row is fetched: by its owner, never by its id alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from mindstage.accounts.sessions import Visitor
from mindstage.ui.views import not_found, problem, what_was_sent


class SignedInRequest(HttpRequest):
    """A request behind `require_visitor`. For the type checker only; nothing is ever made of this class."""

    visitor: Visitor


def visitor_of(request: HttpRequest) -> Visitor | None:
    """Who asks, as the session middleware found out; None for somebody who is not signed in."""
    return getattr(request, "visitor", None)


def require_visitor[**P](
    view: Callable[Concatenate[SignedInRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Only for people who are logged in. Others are led to the door (pages) or refused (all else).

    A frozen account sees nothing but that it is frozen.
    """

    @require_account
    @wraps(view)
    def guarded(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.visitor.frozen:
            return _say_frozen(request)
        return view(request, *args, **kwargs)

    return guarded


def require_account[**P](
    view: Callable[Concatenate[SignedInRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """The same, open to a frozen account: its own state, taking everything out, calling the freeze off."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if visitor_of(request) is None:
            return _lead_to_the_door(request)
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return guarded


def require_owner[**P](
    view: Callable[Concatenate[SignedInRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Only for the owner of this instance. For everybody else the page does not exist."""

    @require_visitor
    @wraps(view)
    def guarded(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, *args, **kwargs) if request.visitor.owner else not_found(request)

    return guarded


def safe_next(target: str) -> str:
    """A path on this site to go on to, or "/" for anything else."""
    local = (
        target.startswith("/") and target.isprintable() and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    )
    return target if local else "/"


def _say_frozen(request: HttpRequest) -> HttpResponse:
    if request.method in ("GET", "HEAD") and not _fetched_by_script(request):
        return HttpResponseRedirect(reverse("your_data"))
    return problem(
        request,
        status=403,
        title="Your account is frozen",
        sentence="Nothing was changed: while an account is frozen nothing of it is shown or written.",
        next_step="On the page “Your data” you can call the freeze off.",
        **what_was_sent(request),
    )


def _fetched_by_script(request: HttpRequest) -> bool:
    return request.headers.get("Sec-Fetch-Dest", "document") != "document"


def _lead_to_the_door(request: HttpRequest) -> HttpResponse:
    if request.method in ("GET", "HEAD") and not _fetched_by_script(request):
        query = urlencode({"next": request.get_full_path()})
        response: HttpResponse = HttpResponseRedirect(f"{reverse('session_new')}?{query}")
    else:
        response = problem(
            request,
            status=403,
            title="You are not logged in",
            sentence="Nothing was changed: this is only for people who are logged in, and your session has ended.",
            next_step="Log in in another tab and do it again.",
            **what_was_sent(request),
        )
    patch_vary_headers(response, ["Cookie", "Sec-Fetch-Dest"])
    return response
