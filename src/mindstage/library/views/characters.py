"""The characters of the person who asks: bring one, list them, look at one."""

from __future__ import annotations

import uuid

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.library.cards import Card, CardRefused
from mindstage.library.characters import (
    PAGE,
    find_character,
    import_character,
    list_characters,
    open_card,
    open_report,
)
from mindstage.library.choosing import list_choices
from mindstage.library.forms import CHOOSE, CardForm
from mindstage.library.models import Character
from mindstage.library.previews import glimpse, label_openings
from mindstage.library.staging import parts_of_card
from mindstage.library.trash import trash_item
from mindstage.library.uploads import was_cut_off
from mindstage.library.views.lists import count_lost, just_trashed, say_lost, shown_before, typed_for
from mindstage.prompts.history import NAMELESS
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

TOO_LARGE = (
    "This file is larger than 20 MB. Nothing was imported. Make its picture smaller, or import the card as JSON."
)
NOT_WRITTEN = (
    "The card is in order, but it could not be stored: the disk is full, or the database is busy. Nothing was "
    "imported. Try again in a moment."
)
ENDED = "This account is no longer active. Nothing was imported."

SHORT_NOTES = 600
"""Characters of a maker's notes that stand open on the page; the card formats ask that players see a paragraph."""


@require_visitor
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: SignedInRequest) -> HttpResponse:
    """The list; or, with a card posted to it, one character more."""
    return _create(request) if request.method == "POST" else _list(request)


@require_visitor
@require_safe
def new(request: SignedInRequest) -> HttpResponse:
    """Where a card is dropped or chosen."""
    return render(request, "library/character_new.html", {"problem": ""})


@require_visitor
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """One character: what its maker says, its openings, and the way into a story. POST: with what was typed there."""
    character = find_character(request.visitor.account_id, ident)
    if character is None:
        raise Http404
    try:
        card = open_card(character, Purpose.SHOW)
        context = _describe(character, card, persona=NAMELESS, notes=card.notes_for(_languages(request)))
    except (KeyGone, Unreadable, CardRefused):
        return say_lost(request, "character", ident)
    choices = list_choices(request.visitor.account_id, whole="all" in request.GET)
    return render(request, "library/character.html", {"character": context, "typed": typed_for(request), **choices})


@require_POST
@require_visitor
def trash(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """Put one's own character into the trash."""
    character = find_character(request.visitor.account_id, ident)
    if character is None:
        raise Http404
    trash_item(character)
    return HttpResponseRedirect(f"{reverse('characters')}?trashed={ident}")


def _create(request: SignedInRequest) -> HttpResponse:
    form = CardForm(request.POST, request.FILES)
    if was_cut_off(request):
        return _refuse(request, TOO_LARGE, status=413)
    if not form.is_valid():
        return _refuse(request, CHOOSE, status=422)
    file = form.cleaned_data["card"]
    try:
        character = import_character(owner=request.visitor.account_id, data=file.read(), filename_hint=file.name or "")
    except CardRefused as refused:
        return _refuse(request, refused.sentence, status=422)
    except KeyGone:
        return _refuse(request, ENDED, status=409)
    except DatabaseError:
        return _refuse(request, NOT_WRITTEN, status=503)
    there = reverse("character", args=[character.pk])
    return JsonResponse({"location": there}, status=201) if _wants_json(request) else HttpResponseRedirect(there)


def _refuse(request: HttpRequest, sentence: str, *, status: int) -> HttpResponse:
    """Why nothing was imported: as JSON for scripts, else on the page that the file was chosen on."""
    if _wants_json(request) or request.headers.get("X-Partial") == "1":
        return JsonResponse({"say": sentence}, status=status)
    return render(request, "library/character_new.html", {"problem": sentence}, status=status)


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _list(request: SignedInRequest) -> HttpResponse:
    characters = list_characters(request.visitor.account_id, before=shown_before(request))
    earlier = characters[-1].id if len(characters) == PAGE else None
    return render(
        request,
        "library/characters.html",
        {
            "characters": characters,
            "lost": count_lost(characters),
            "earlier": earlier,
            "trashed": just_trashed(request, Character),
        },
    )


def _languages(request: HttpRequest) -> list[str]:
    """What the browser says that its person reads, the best first. It is used for this answer and kept nowhere."""
    return [language for language, _ in parse_accept_lang_header(request.headers.get("Accept-Language", ""))]


def _describe(character: Character, card: Card, *, persona: str, notes: str) -> dict[str, object]:
    parts = parts_of_card(card, persona, source=f"character:{character.pk}")
    return {
        "lore_count": len(card.lore),
        "id": character.pk,
        "name": card.name,
        "creator": parts.byline,
        "creator_notes": glimpse(notes),
        "tags": [tag[:60] for tag in card.tags[:50]],
        "openings": label_openings(parts.greetings),
        "marks": parts.marks,
        "notes_open": len(notes) <= SHORT_NOTES,
        "report": open_report(character),
        "notices": card.notices,
        "has_portrait": character.portrait is not None,
    }
