"""Pages that belong to no room: the theme, and what is shown when something did not work."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Final, TypedDict

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from mindstage.ui.context import THEMES

log = logging.getLogger(__name__)

YEAR = 365 * 24 * 3600
NOT_HIDDEN = ("text", "csrfmiddlewaretoken")
TEXTS: Final = frozenset({"name", "byline", "premise", "opening", "about"})
"""Fields of what is written anew (`library/material_new.html`). No form that has one of them asks for a secret."""


class WhatWasSent(TypedDict):
    """The part of a refused form that its author would miss."""

    written: str
    fields: list[tuple[str, str]]
    many: bool


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember paper or theatre in a cookie; anything else means: as the system says."""
    chosen = request.POST.get("theme", "")
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back)
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=YEAR, httponly=True, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie("theme")
    return response


def problem(
    request: HttpRequest,
    *,
    status: int,
    title: str,
    sentence: str,
    next_step: str = "",
    written: str = "",
    fields: Sequence[tuple[str, str]] = (),
    many: bool = False,
) -> HttpResponse:
    """A page that says what broke, what is safe and what to do next.

    `written`: a text that came and was not kept, given back; with `fields`, those of its form, it can be sent again.
    `many`: the fields themselves are texts, and can be sent again without it.
    """
    said = {"title": title, "sentence": sentence, "next_step": next_step}
    sent = {"written": written, "fields": fields, "many": many}
    return render(request, "ui/problem.html", said | sent, status=status)


def what_was_sent(request: HttpRequest) -> WhatWasSent:
    """The text of a form that was not done, for `problem` to give back. Only for a form that is known to be ours.

    A dot in a field's name says that the field is one of many texts (`card.description`): no secret has one.
    """
    fields = [(name, str(value)) for name, value in request.POST.items() if name not in NOT_HIDDEN]
    many = any("." in name or name in TEXTS for name, _ in fields)
    return {"written": request.POST.get("text", ""), "fields": fields, "many": many}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """A page that is older than its cookie. Its texts are given back where the browser says that the form was ours:
    another site's words must not come under our name, with a button beside them, and are not read at all."""
    sent: WhatWasSent = {"written": "", "fields": [], "many": False}
    if _comes_from_here(request):
        found = what_was_sent(request)
        sent = found if found["written"] or found["many"] else sent
    return problem(
        request,
        status=403,
        title="This form is no longer valid",
        sentence="Nothing was changed. The page was open for too long, or cookies are blocked for this address.",
        next_step="What you wrote stands below: send it again from here."
        if sent["fields"]
        else "What you wrote stands below: copy it, reload the page that it was for, and send it there."
        if sent["written"]
        else "Go back: most browsers still have what you wrote. Copy it, reload the page, and send it again.",
        **sent,
    )


def _comes_from_here(request: HttpRequest) -> bool:
    """By what no script can make a browser say. Over plain HTTP in a network only the origin is said."""
    site = request.headers.get("Sec-Fetch-Site")
    here = f"{request.scheme}://{request.get_host()}"
    return site == "same-origin" if site else request.headers.get("Origin") == here


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return problem(
        request,
        status=404,
        title="There is nothing here",
        sentence="The page does not exist, or it is not yours to open.",
        next_step="What is yours stands on your desk.",
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return problem(
        request,
        status=400,
        title="That could not be read",
        sentence="The request was not in a form that Mindstage understands. Nothing was changed.",
        next_step="Go back and try once more.",
    )


def not_allowed(request: HttpRequest) -> HttpResponse:
    opened = request.method in ("GET", "HEAD")
    return problem(
        request,
        status=405,
        title="This address is no page",
        sentence="It takes what a button or a form sends, and shows nothing by itself. Nothing was changed."
        if opened
        else "It can be looked at, and takes nothing that is sent to it. Nothing was changed.",
        next_step="Go to the page with the button, and press it there." if opened else "Open it as a page.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    # Django's own line is off: it names the path, which may hold the owner link.
    log.exception("a page could not be made")  # noqa: LOG004 - the framework calls this while it handles the fault
    if isinstance(sys.exception(), OperationalError):
        return problem(
            request,
            status=503,
            title="Your data cannot be reached just now",
            sentence="A database of this copy is locked, full or away. Nothing was changed, and nothing is lost.",
            next_step="Wait a moment and do it again. If it lasts, tell whoever runs this copy.",
        )
    return problem(
        request,
        status=500,
        title="Something broke on our side",
        sentence="What was saved before is safe. The fault is in the log, without anything you wrote.",
        next_step="Reload the page. If it happens again, tell whoever runs this copy.",
    )
