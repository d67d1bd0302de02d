"""Correct a character in place."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.library.cards import CardRefused
from mindstage.library.characters import find_character
from mindstage.library.correctable import MEANWHILE, Meanwhile, read_marks, typed_anew
from mindstage.library.corrections import correct_character, list_correctable
from mindstage.library.models import Character
from mindstage.library.parts import open_part, show_part
from mindstage.library.views.lists import asked_part, give_back, other_part, say_lost
from mindstage.vault.keys import KeyGone
from mindstage.vault.sealing import Unreadable

PREFIX = "card."
NOTHING: Mapping[str, str] = MappingProxyType({})
NOT_KEPT = "Nothing was changed."
IMPORTED = " Nothing was imported."


@require_http_methods(["GET", "HEAD", "POST"])
@require_visitor
def edit(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """GET: every text of the card in a field. POST: write those that were changed."""
    posted = request.method == "POST"
    character = find_character(request.visitor.account_id, ident)
    if character is None and posted:
        return give_back(request, "character")
    if character is None:
        raise Http404
    texts = {key.removeprefix(PREFIX): str(text) for key, text in request.POST.items() if key.startswith(PREFIX)}
    seen = read_marks(request.POST.get("seen", ""))
    try:
        if posted:
            correct_character(character=character, texts=texts, seen=seen)
            there = reverse("character_edit", args=[ident])
            return HttpResponseRedirect(other_part(request, there) or reverse("character", args=[ident]))
        return _page(request, character)
    except CardRefused as refused:
        sentence = f"{refused.sentence.partition(IMPORTED)[0]} {NOT_KEPT}"
        return _page(request, character, typed_anew(texts, seen), problem=sentence, status=422)
    except Meanwhile as meanwhile:
        typed = typed_anew(texts, seen)
        return _page(request, character, typed, both=meanwhile.paths, problem=MEANWHILE, status=409)
    except Character.DoesNotExist:
        return give_back(request, "character")
    except (KeyGone, Unreadable):
        return give_back(request, "character") if posted else say_lost(request, "character", ident)


def _page(
    request: SignedInRequest,
    character: Character,
    typed: Mapping[str, str] = NOTHING,
    *,
    both: frozenset[str] = frozenset(),
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    part = open_part(list_correctable(character), said=asked_part(request), typed=typed)
    context = {
        "id": character.pk,
        "groups": show_part(part, typed, both),
        "part": part,
        "prefix": PREFIX,
        "problem": problem,
    }
    return render(request, "library/character_edit.html", context, status=status)
