"""Correct what a story began with."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping

from django.db import OperationalError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from mindstage.accounts.access import SignedInRequest
from mindstage.library.correctable import (
    MEANWHILE,
    Meanwhile,
    read_marks,
    typed_anew,
)
from mindstage.library.parts import open_part, show_part
from mindstage.library.views.lists import asked_part, other_part
from mindstage.stories.keeping import keep_as_scenario, keep_lore_of
from mindstage.stories.models import Story
from mindstage.stories.refusals import CannotStore, NotYours, Refused
from mindstage.stories.stage_corrections import correct_stage, list_stage
from mindstage.stories.views.asking import for_players, own_story
from mindstage.stories.views.stories import title_of

log = logging.getLogger(__name__)

PREFIX = "stage."
NOT_THERE = (
    "This story is not there, or not yours. If you have just put it into the trash, take it out, then send this again."
)
NOT_STORED = "This machine could not save just now (its disk may be full or busy). What you typed stands below."


@require_http_methods(["GET", "HEAD", "POST"])
@for_players
def update(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """GET: premise, cast and lore, every text in a field. POST: write those that were changed.

    Whatever keeps that from being done, the page comes back with all that was typed.
    """
    if request.method != "POST":
        return _page(request, own_story(request, ident))
    try:
        story = own_story(request, ident)
    except Http404:
        raise NotYours(NOT_THERE) from None  # a refusal gives back what was typed: the story may lie in the trash
    texts = {key.removeprefix(PREFIX): str(text) for key, text in request.POST.items() if key.startswith(PREFIX)}
    seen = read_marks(request.POST.get("seen", ""))
    typed = typed_anew(texts, seen)
    try:
        correct_stage(story=story, texts=texts, seen=seen)
    except Meanwhile as meanwhile:
        return _page(request, story, typed, both=meanwhile.paths, problem=MEANWHILE, status=409)
    except Refused as refused:
        return _page(request, story, typed, problem=refused.sentence, status=422)
    except OperationalError:
        log.exception("a stage could not be stored")
        return _page(request, story, typed, problem=NOT_STORED, status=CannotStore.status)
    here = reverse("story_stage", args=[ident])
    return HttpResponseRedirect(other_part(request, here) or reverse("story", args=[ident]))


@require_POST
@for_players
def keep(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """Keep what stands here as a scenario of one's own, and show it."""
    scenario = keep_as_scenario(own_story(request, ident))
    return HttpResponseRedirect(reverse("own_scenario", args=[scenario.pk]))


@require_POST
@for_players
def keep_lore(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """Keep the lore that stands here as a lorebook of one's own, and show it."""
    book = keep_lore_of(own_story(request, ident))
    return HttpResponseRedirect(f"{reverse('own_lorebook_edit', args=[book.pk])}?kept")


def _page(
    request: SignedInRequest,
    story: Story,
    typed: Mapping[str, str] | None = None,
    *,
    both: frozenset[str] = frozenset(),
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    groups = list_stage(story, typed or {})
    part = open_part(groups, said=asked_part(request), typed=typed or {})
    context = {
        "story": {"id": story.pk, "title": title_of(story)},
        "groups": show_part(part, typed or {}, both),
        "part": part,
        "has_lore": any(group.kind == "lore" for group in groups),
        "prefix": PREFIX,
        "problem": problem,
    }
    return render(request, "stories/stage.html", context, status=status)
