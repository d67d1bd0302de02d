"""The ways a story has gone: a list of its branches, and going back to one."""

from __future__ import annotations

import uuid

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from mindstage.accounts.access import SignedInRequest
from mindstage.stories import branches, revisions
from mindstage.stories.reading import open_stage
from mindstage.stories.views.asking import for_players, own_story
from mindstage.stories.views.stories import title_of


@require_GET
@for_players
def index(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """Every branch, with the turn at which it left and its last words."""
    story = own_story(request, ident)
    shown = {"id": story.pk, "title": title_of(story), "persona": open_stage(story).persona}
    context = {"story": shown, "branches": branches.list_branches(story), "most": branches.MOST}
    return render(request, "stories/branches.html", context)


@require_POST
@for_players
def play(request: SignedInRequest, ident: uuid.UUID, segment: uuid.UUID) -> HttpResponse:
    """Go on with another branch; the one that was played is kept."""
    revisions.play_branch(story=own_story(request, ident), segment=segment)
    return HttpResponseRedirect(reverse("story", args=[ident]))
