"""The portrait of one's own character."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.library.characters import find_character
from mindstage.library.corrections import change_portrait
from mindstage.library.models import Character
from mindstage.library.portraits import CONTENT_TYPE, NoPortrait
from mindstage.library.uploads import was_cut_off
from mindstage.library.views.lists import say_lost
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

NOT_TAKEN = (
    "This picture cannot be taken: it must be a whole PNG, of 16 megapixels at most and 32 pixels at least on each "
    "side. The portrait is as it was."
)
TOO_LARGE = "This file is larger than 20 MB, so it was not taken. The portrait is as it was."
NONE_CHOSEN = "Choose a picture first. The portrait is as it was."


@require_visitor
@require_safe
def show(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """The picture, for its owner; for all others there is none."""
    character = find_character(request.visitor.account_id, ident)
    if character is None or character.portrait is None:
        raise Http404
    try:
        picture = character.open_bytes("portrait", Purpose.SHOW)
    except (KeyGone, Unreadable):
        raise Http404 from None  # the page of the character says what is lost; of a picture alone there is none
    response = HttpResponse(picture, content_type=CONTENT_TYPE)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Content-Disposition"] = "inline"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@require_visitor
def update(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """GET: where another picture is chosen. POST: take it, or take the present one away."""
    character = find_character(request.visitor.account_id, ident)
    if character is None:
        raise Http404
    if request.method != "POST":
        return _page(request, character)
    file = request.FILES.get("picture")
    if was_cut_off(request):
        return _page(request, character, problem=TOO_LARGE, status=413)
    if file is None and "remove" not in request.POST:
        return _page(request, character, problem=NONE_CHOSEN, status=422)
    try:
        change_portrait(character=character, picture=file.read() if file else None)
    except NoPortrait:
        return _page(request, character, problem=NOT_TAKEN, status=422)
    except KeyGone:
        return say_lost(request, "character", ident)
    except Character.DoesNotExist:
        raise Http404 from None  # it ended for good while the picture was read
    return HttpResponseRedirect(reverse("character", args=[ident]))


def _page(request: SignedInRequest, character: Character, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"id": character.pk, "has_portrait": character.portrait is not None, "problem": problem}
    return render(request, "library/portrait.html", context, status=status)
