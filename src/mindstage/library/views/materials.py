"""Personas, lorebooks and scenarios of the person who asks: make one, list them, correct one, take one along."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from django.db import DatabaseError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.kit import canonical
from mindstage.library.cards import CardRefused
from mindstage.library.characters import find_character
from mindstage.library.contents import BLANK, Kind
from mindstage.library.correctable import (
    MEANWHILE,
    Meanwhile,
    read_marks,
    typed_anew,
)
from mindstage.library.lorebooks import import_lorebook, keep_book_of, to_file
from mindstage.library.materials import (
    PAGE,
    REMOVALS,
    Removed,
    correct_material,
    find_material,
    list_correctable,
    list_materials,
    make_material,
    rows_of,
)
from mindstage.library.models import Material
from mindstage.library.opening import NotOpened
from mindstage.library.parts import NEWEST, open_part, show_part
from mindstage.library.trash import MANY, trash_item
from mindstage.library.uploads import was_cut_off
from mindstage.library.views.lists import (
    asked_part,
    count_lost,
    give_back,
    just_trashed,
    other_part,
    say_lost,
    shown_before,
)
from mindstage.streaming.raw import Refused
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

PREFIX = "text."
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
TOO_LARGE = "This file is larger than 20 MB. Nothing was imported. A lorebook of text alone is much smaller."
NOT_WRITTEN = (
    "This could not be stored: the disk is full, or the database is busy. Nothing was changed, and what you typed "
    "stands below. Try again in a moment."
)
ENDED = "This account is no longer active. Nothing was stored."
NO_LORE = "This character’s card has no lore of its own."


@require_http_methods(["GET", "HEAD", "POST"])
@require_visitor
def index(request: SignedInRequest, kind: str) -> HttpResponse:
    """The list; or, posted to, one more."""
    if request.method == "POST":
        return _create(request, kind)
    lines = list_materials(request.visitor.account_id, kind, before=shown_before(request))
    context = {
        "kind": kind,
        "lines": [(line, _page_of(kind, line.id), reverse(f"own_{kind}_trash", args=[line.id])) for line in lines],
        "lost": count_lost(lines),
        "earlier": lines[-1].id if len(lines) == PAGE else None,
        "trashed": just_trashed(request, Material),
    }
    return render(request, "library/materials.html", context)


@require_safe
@require_visitor
def new(request: SignedInRequest, kind: str) -> HttpResponse:
    """Where a persona or a scenario is written, or a lorebook begun or chosen."""
    return _new(request, kind)


@require_http_methods(["GET", "HEAD", "POST"])
@require_visitor
def edit(request: SignedInRequest, ident: uuid.UUID, kind: str) -> HttpResponse:
    """GET: every text in a field. POST: write those that were changed. Whatever keeps that, nothing typed is lost."""
    posted = request.method == "POST"
    material = find_material(request.visitor.account_id, ident, kind)
    if material is None and not posted:
        raise Http404
    try:
        if material is None:
            return give_back(request, kind)
        return _correct(request, material) if posted else _edit(request, material)
    except Material.DoesNotExist:
        return give_back(request, kind)
    except (KeyGone, Unreadable, CardRefused):
        return give_back(request, kind) if posted else say_lost(request, kind, ident)


def _correct(request: SignedInRequest, material: Material) -> HttpResponse:
    """Raises KeyGone, Unreadable, CardRefused, Material.DoesNotExist when there is nothing to correct any more."""
    ident, kind = material.pk, material.kind
    texts = {key.removeprefix(PREFIX): str(text) for key, text in request.POST.items() if key.startswith(PREFIX)}
    seen, one_more = read_marks(request.POST.get("seen", "")), request.POST.get("one_more", "")
    typed = typed_anew(texts, seen)
    try:
        correct_material(material=material, texts=texts, seen=seen, one_more=one_more)
    except Meanwhile as meanwhile:
        return _edit(request, material, typed, both=meanwhile.paths, problem=MEANWHILE, status=409)
    except Removed as removed:
        stay = {path: text for path, text in typed.items() if not rows_of([path])}
        loose = [text for path, text in typed.items() if path not in stay and text.strip()]
        return _edit(request, material, stay, loose=loose, problem=removed.sentence, status=removed.status)
    except (Refused, CardRefused) as refused:
        sentence = refused.sentence.replace("Nothing was imported.", "Nothing was changed.")
        return _edit(request, material, typed, problem=sentence, status=422)
    except DatabaseError:
        return _edit(request, material, typed, problem=NOT_WRITTEN, status=503)
    there = reverse(f"own_{kind}_edit", args=[ident])
    if one_more:
        return HttpResponseRedirect(f"{there}?part={NEWEST}#more")
    if other := other_part(request, there):
        return HttpResponseRedirect(other)
    return HttpResponseRedirect(reverse(f"own_{MANY[kind]}") if kind != Kind.SCENARIO else _page_of(kind, ident))


@require_POST
@require_visitor
def trash(request: SignedInRequest, ident: uuid.UUID, kind: str) -> HttpResponse:
    """Put one into the trash; the list then offers to undo it."""
    trash_item(_own(request, ident, kind))
    return HttpResponseRedirect(f"{reverse(f'own_{MANY[kind]}')}?trashed={ident}")


@require_safe
@require_visitor
def download(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """A lorebook as a V3 file, for other programs."""
    material = _own(request, ident, Kind.LOREBOOK)
    try:
        content = canonical.to_bytes(to_file(material, Purpose.EXPORT))
    except (KeyGone, Unreadable, CardRefused):
        return say_lost(request, Kind.LOREBOOK, ident)
    response = HttpResponse(content, content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="lorebook.json"'
    return response


def _own(request: SignedInRequest, ident: uuid.UUID, kind: str) -> Material:
    material = find_material(request.visitor.account_id, ident, kind)
    if material is None:
        raise Http404
    return material


def _create(request: SignedInRequest, kind: str) -> HttpResponse:
    if was_cut_off(request):
        return _new(request, kind, problem=TOO_LARGE, status=413)
    try:
        material = _make(request, kind)
    except NotOpened as lost:
        return say_lost(request, lost.kind, lost.ident, note="No lorebook was made.")
    except (Refused, CardRefused) as refused:
        return _new(request, kind, problem=refused.sentence, status=422)
    except KeyGone:
        return _new(request, kind, problem=ENDED, status=409)
    except DatabaseError:
        return _new(request, kind, problem=NOT_WRITTEN, status=503)
    if kind == Kind.PERSONA:
        return HttpResponseRedirect(reverse("own_personas"))
    return HttpResponseRedirect(f"{reverse(f'own_{kind}_edit', args=[material.pk])}?kept")


def _make(request: SignedInRequest, kind: str) -> Material:
    """A persona or scenario as it was typed; a lorebook from a file or a character, or an empty one. Raises Http404."""
    owner, name = request.visitor.account_id, request.POST.get("name", "")
    if kind == Kind.PERSONA:
        return make_material(owner=owner, kind=kind, name=name, content={"about": request.POST.get("about", "")})
    if kind == Kind.SCENARIO:
        return _write_scenario(request)
    if file := request.FILES.get("book"):
        return import_lorebook(owner=owner, data=file.read())
    if ident := request.POST.get("character"):
        return _make_of_character(owner, ident)
    return make_material(owner=owner, kind=kind, name=name)


def _write_scenario(request: SignedInRequest) -> Material:
    told = {name: request.POST.get(name, "") for name in ("premise", "byline")}
    content = BLANK[Kind.SCENARIO] | told | {"openings": [request.POST.get("opening", "")]}
    owner, name = request.visitor.account_id, request.POST.get("name", "")
    return make_material(owner=owner, kind=Kind.SCENARIO, name=name, content=content)


def _make_of_character(owner: uuid.UUID, ident: str) -> Material:
    try:
        character = find_character(owner, uuid.UUID(ident))
    except ValueError:
        raise Http404 from None
    if character is None:
        raise Http404
    if (book := keep_book_of(character)) is None:
        raise Refused(NO_LORE)
    return book


def _new(request: SignedInRequest, kind: str, *, problem: str = "", status: int = 200) -> HttpResponse:
    typed = {name: request.POST.get(name, "") for name in ("name", "about", "premise", "byline", "opening")}
    return render(request, "library/material_new.html", {"kind": kind, "problem": problem, **typed}, status=status)


def _edit(
    request: SignedInRequest,
    material: Material,
    typed: Mapping[str, str] = NOTHING,
    *,
    both: frozenset[str] = frozenset(),
    loose: Sequence[str] = (),
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page of corrections. `loose`: words that were typed, and have no field any more."""
    part = open_part(list_correctable(material, typed), said=asked_part(request), typed=typed)
    shown = show_part(part, typed, both)
    context = {
        "id": material.pk,
        "kind": material.kind,
        "groups": shown,
        "added": next((group for group in reversed(shown) if group.is_blank), None),
        "seen": f"{REMOVALS}={material.removals} {part.marks}",
        "part": part,
        "prefix": PREFIX,
        "problem": problem,
        "kept": request.method != "POST" and "kept" in request.GET,
        "loose": loose,
        "back": reverse(f"own_{MANY[material.kind]}"),
        "here": reverse(f"own_{material.kind}_edit", args=[material.pk]),
        "away": reverse(f"own_{material.kind}_trash", args=[material.pk]),
    }
    return render(request, "library/material_edit.html", context, status=status)


def _page_of(kind: str, ident: uuid.UUID) -> str:
    return reverse("own_scenario" if kind == Kind.SCENARIO else f"own_{kind}_edit", args=[ident])
