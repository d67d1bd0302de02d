"""The trash: what lies in it and when it ends, taking it back, ending it now, one thing or all of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mindstage.accounts.access import SignedInRequest, require_visitor, safe_next
from mindstage.accounts.rate_limits import TooManyTries
from mindstage.accounts.views.answers import too_many
from mindstage.rights.trash import MOST, EndBegun, count_trash, end_now, list_trash, take_back

PATIENCE: Final = 4.0
"""Seconds that a page takes at most to empty the trash."""


@require_visitor
@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    """The list, and what was just done with a thing that lay in it."""
    owner = request.visitor.account_id
    context = {"trash": list_trash(owner), "count": count_trash(owner), "done": request.GET.get("done", "")}
    return render(request, "rights/trash.html", context)


@require_POST
@require_visitor
def undo(request: SignedInRequest, item: uuid.UUID) -> HttpResponse:
    """Take something back out, and go back to `next`: the list on which it was deleted a moment ago."""
    try:
        if not take_back(request.visitor.account_id, item):
            raise Http404
    except TooManyTries as refusal:
        return too_many(request, refusal, title="It still lies in the trash")
    except EndBegun:
        return HttpResponseRedirect(f"{reverse('trash_page')}?done=late")
    if here := request.POST.get("next"):
        return HttpResponseRedirect(f"{safe_next(here)}?back")
    return HttpResponseRedirect(f"{reverse('trash_page')}?done=back")


@require_POST
@require_visitor
def end(request: SignedInRequest, item: uuid.UUID) -> HttpResponse:
    """End it now: its key is destroyed, and nothing brings it back."""
    if not end_now(request.visitor.account_id, item):
        raise Http404
    return HttpResponseRedirect(f"{reverse('trash_page')}?done=ended")


@require_http_methods(["GET", "HEAD", "POST"])
@require_visitor
def empty(request: SignedInRequest) -> HttpResponse:
    """GET: what would end, and the last question. POST: end what was shown there (`item`), and nothing else.

    Each end is several durable writes. What a slow disk does not manage in some seconds is shown once more.
    """
    owner = request.visitor.account_id
    if request.method != "POST":
        context = {"trash": list_trash(owner), "count": count_trash(owner), "more": "more" in request.GET}
        return render(request, "rights/trash_end.html", context)
    until = time.monotonic() + PATIENCE
    items = list(_idents(request.POST.getlist("item")[:MOST]))
    for done, item in enumerate(items, start=1):
        end_now(owner, item)
        if done < len(items) and time.monotonic() > until:
            return HttpResponseRedirect(f"{reverse('trash_end')}?more")
    return HttpResponseRedirect(f"{reverse('trash_page')}?done=emptied")


def _idents(typed: Iterable[str]) -> Iterator[uuid.UUID]:
    for one in typed:
        with suppress(ValueError):
            yield uuid.UUID(one)
