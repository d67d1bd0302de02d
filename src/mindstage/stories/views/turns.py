"""Partials of the play page: stretches of turns, one turn, its versions, the trash, branches, the draft, the meter."""

from __future__ import annotations

import uuid
from contextlib import suppress

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mindstage.accounts.access import SignedInRequest
from mindstage.stories import paths, revisions
from mindstage.stories.drafts import save_draft
from mindstage.stories.form_turns import draw_form_reply, take_form_turn
from mindstage.stories.meter import read_meter
from mindstage.stories.models import Story, Turn
from mindstage.stories.reading import open_stage, read_stretch, read_turn
from mindstage.stories.refusals import EmptyTurn, Refused
from mindstage.stories.trash import end_turn_now, last_backup
from mindstage.stories.turns import check_act, check_mode, check_text
from mindstage.stories.views.asking import for_players, own_story, own_turn, wants_partial
from mindstage.stories.views.stories import stretch_context, title_of


@require_http_methods(["GET", "POST"])
@for_players
def index(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """GET: older turns (`?before=N`), or what came since (`?after=N`). POST: take a turn without scripts.

    Without our script the page around those turns is the story's.
    """
    story = own_story(request, ident)
    if request.method == "POST":
        _take(request, story)
        return HttpResponseRedirect(f"{reverse('story', args=[ident])}#end")
    before, after = (_optional(request.GET.get(name)) for name in ("before", "after"))
    if not wants_partial(request):
        return HttpResponseRedirect(_in_story(story, before))
    stage = open_stage(story)
    stretch = read_stretch(story, stage, before=before, after=after)
    return render(request, "stories/_turns.html", stretch_context(story, stage, stretch))


def _take(request: SignedInRequest, story: Story) -> None:
    """A line that is refused becomes the draft, so that the story still has it; one that is played was the draft."""
    text, mode = request.POST.get("text", ""), request.POST.get("mode", "")
    form, segment = (_optional_uuid(request.POST.get(name)) for name in ("form", "segment"))
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    try:
        line = check_text(text)
        take_form_turn(cookie=cookie, story=story.pk, text=line, mode=check_mode(mode), form=form, segment=segment)
    except Refused:
        if text.strip():
            with suppress(Refused, DatabaseError):  # the page of the refusal gives the line back in any case
                save_draft(story=story, mode=mode, text=text)
        raise
    save_draft(story=story, mode=mode, text="")


@require_POST
@for_players
def draw(request: SignedInRequest, ident: uuid.UUID, turn: uuid.UUID) -> HttpResponse:
    """Have a reply written once more, or to its end, without scripts."""
    found = own_turn(request, ident, turn)
    form, segment = (_optional_uuid(request.POST.get(name)) for name in ("form", "segment"))
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    act = check_act(request.POST.get("act"))
    draw_form_reply(cookie=cookie, story=ident, act=act, reply=found.pk, form=form, segment=segment)
    return HttpResponseRedirect(f"{reverse('story', args=[ident])}#end")


@require_GET
@for_players
def show(request: SignedInRequest, ident: uuid.UUID, turn: uuid.UUID) -> HttpResponse:
    """One turn, as it stands now: for our script, or as a page."""
    found = own_turn(request, ident, turn)
    return _turn(request, found) if wants_partial(request) else _turn_page(request, found)


@require_POST
@for_players
def add_version(request: SignedInRequest, ident: uuid.UUID, turn: uuid.UUID) -> HttpResponse:
    """Keep an edited text as a new version."""
    found = own_turn(request, ident, turn)
    try:
        text = check_text(request.POST.get("text"))
    except EmptyTurn:
        raise Refused("A version needs words. Nothing was changed; write some, or delete the turn instead.") from None
    return _turn(request, revisions.add_version(turn=found, text=text))


@require_POST
@for_players
def choose(request: SignedInRequest, ident: uuid.UUID, turn: uuid.UUID) -> HttpResponse:
    """Show another version of a turn."""
    found = own_turn(request, ident, turn)
    try:
        version = uuid.UUID(request.POST.get("variant", ""))
    except ValueError:
        raise Refused(revisions.NO_SUCH_VERSION) from None
    return _turn(request, revisions.choose_version(turn=found, version=version))


@require_POST
@for_players
def trash(request: SignedInRequest, ident: uuid.UUID, turn: uuid.UUID) -> HttpResponse:
    """Delete a turn; `undo` takes it back."""
    found = own_turn(request, ident, turn)
    revisions.trash_turn(turn=found)
    if wants_partial(request):
        return HttpResponse(format_html('<article class="turn" id="t-{}" data-gone></article>', found.pk))
    return HttpResponseRedirect(f"{reverse('story', args=[ident])}?trashed={turn}#end")


@require_POST
@for_players
def undo_trash(request: SignedInRequest, ident: uuid.UUID, turn: uuid.UUID) -> HttpResponse:
    found = own_turn(request, ident, turn)
    revisions.untrash_turn(turn=found)
    return _turn(request, found)


@require_http_methods(["GET", "HEAD", "POST"])
@for_players
def end(request: SignedInRequest, ident: uuid.UUID, turn: uuid.UUID) -> HttpResponse:
    """GET: what deleting a turn for good can do, and what it cannot. POST: do it."""
    found = own_turn(request, ident, turn)
    if request.method != "POST":
        return render(request, "stories/turn_end.html", {"story": {"id": ident}, "turn": found, "until": last_backup()})
    end_turn_now(turn=found)
    return HttpResponseRedirect(reverse("story", args=[ident]))


@require_POST
@for_players
def branch(request: SignedInRequest, ident: uuid.UUID, turn: uuid.UUID) -> HttpResponse:
    """Go on from this turn in another direction."""
    found = own_turn(request, ident, turn)
    revisions.branch_from(story=found.story, turn=found)
    return HttpResponseRedirect(reverse("story", args=[ident]))


@require_POST
@for_players
def draft(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """Keep what is being typed."""
    story = own_story(request, ident)
    save_draft(story=story, mode=request.POST.get("mode", ""), text=request.POST.get("text", ""))
    return HttpResponse(status=204)


@require_GET
@for_players
def context(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """The context meter and the lore in play: for our script, or as a page."""
    story = own_story(request, ident)
    meter = read_meter(story)
    context = {"meter": meter, "lore": meter.lore if meter else []}
    if wants_partial(request):
        return render(request, "stories/context.html", context)
    shown = {"id": story.pk, "title": title_of(story)}
    return render(request, "stories/context_page.html", {**context, "story": shown})


def _turn(request: SignedInRequest, turn: Turn) -> HttpResponse:
    """The partial of a turn for our script; without it, the story's page."""
    if request.method == "POST" and not wants_partial(request):
        return HttpResponseRedirect(f"{reverse('story', args=[turn.story_id])}#t-{turn.pk}")
    story = Story.objects.get(pk=turn.story_id)
    stage = open_stage(story)
    views = read_turn(story, stage, turn)
    shared = {"story": {"id": story.pk, "persona": stage.persona}}
    partials = [render_to_string("stories/_turn.html", {**shared, "turn": view}, request) for view in views]
    return HttpResponse("".join(partials))


def _turn_page(request: SignedInRequest, turn: Turn) -> HttpResponse:
    """The words of a turn, and the way to its place in the story. Raises Http404 for one in the trash."""
    story = turn.story
    if not (views := read_turn(story, open_stage(story), turn)):
        raise Http404
    (view,) = views
    played = paths.find_on_path(story.head_id, view.position) if story.head_id else None
    before = None if view.is_last else view.position + 1
    context = {
        "story": {"id": story.pk, "title": title_of(story)},
        "turn": view,
        "place": f"{_in_story(story, before)}#t-{view.id}" if played and played.id == view.id else "",
    }
    return render(request, "stories/turn_page.html", context)


def _in_story(story: Story, before: int | None) -> str:
    """The address of the story's page; with `before`, of the turns in front of that position."""
    there = reverse("story", args=[story.pk])
    return there if before is None else f"{there}?before={before}"


def _optional(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _optional_uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
