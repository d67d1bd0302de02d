"""What the lists of this room share: what they read out of their addresses, and what they say of what is lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from mindstage.accounts.access import SignedInRequest
from mindstage.library.characters import CharacterLine
from mindstage.library.materials import MaterialLine
from mindstage.library.trash import Brought
from mindstage.ui.views import problem, what_was_sent


def just_trashed(request: SignedInRequest, model: type[Brought]) -> uuid.UUID | None:
    """What was just put into the trash, so that the page can offer to undo it."""
    if (ident := _uuid(request.GET.get("trashed", ""))) is None:
        return None
    own = model._default_manager.filter(pk=ident, owner=request.visitor.account_id)
    return ident if own.filter(trashed_on__isnull=False, ending=False).exists() else None


def shown_before(request: HttpRequest) -> uuid.UUID | None:
    """The last one of the page before, when an earlier part of the list is asked for. Raises Http404."""
    try:
        return uuid.UUID(request.GET["before"]) if "before" in request.GET else None
    except ValueError:
        raise Http404 from None


def count_lost(lines: Iterable[CharacterLine | MaterialLine]) -> int:
    """How many of them cannot be opened any more. Each keeps its place in the list, from where it can be deleted."""
    return sum(line.name is None for line in lines)


def say_lost(request: HttpRequest, kind: str, ident: uuid.UUID, *, note: str = "") -> HttpResponse:
    """The page of something of one's own that cannot be opened: there is nothing to do but to delete it.

    `note`: what was not done because of that.
    """
    away = reverse("character_trash" if kind == "character" else f"own_{kind}_trash", args=[ident])
    return render(request, "library/lost.html", {"kind": kind, "away": away, "note": note}, status=410)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was chosen and typed on a page that begins a story, when it comes back with more to choose from."""

    greeting: int
    persona: str
    played: uuid.UUID | None
    books: frozenset[uuid.UUID | None]


def typed_for(request: HttpRequest) -> Typed:
    said = request.POST
    number = said.get("greeting", "")
    return Typed(
        greeting=int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0,
        persona=said.get("persona", ""),
        played=_uuid(said.get("as", "")),
        books=frozenset(map(_uuid, said.getlist("books"))),
    )


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def asked_part(request: HttpRequest) -> str:
    """Which part of something long its page of corrections shows."""
    return request.POST.get("part") or request.GET.get("part", "")


def other_part(request: HttpRequest, there: str) -> str:
    """Where a form goes on that was sent to turn to another part; "" when it was not."""
    number = request.POST.get("go", "")
    return f"{there}?part={number}" if number.isascii() and number.isdigit() and len(number) < 6 else ""


def give_back(request: HttpRequest, kind: str) -> HttpResponse:
    """What was typed for something that is not there any more."""
    return problem(
        request,
        status=404,
        title="That was not done",
        sentence=f"This {kind} is not there, or not yours. Nothing was changed.",
        next_step="If you have just put it into the trash, take it out, then send this again.",
        **what_was_sent(request),
    )
