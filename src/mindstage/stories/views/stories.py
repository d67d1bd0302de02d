"""The desk, the beginning of a story, and the page on which it is played."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mindstage.accounts.access import SignedInRequest, visitor_of
from mindstage.gateway import routes
from mindstage.gateway.routes import chosen_route
from mindstage.library.characters import find_character, list_characters
from mindstage.library.choosing import take_lore, take_persona
from mindstage.library.contents import Kind
from mindstage.library.correctable import (
    MEANWHILE,
    Meanwhile,
    read_marks,
    show_fields,
    typed_anew,
    write_marks,
)
from mindstage.library.materials import find_material
from mindstage.library.opening import NotOpened, opening
from mindstage.library.staging import (
    StageParts,
    parts_of_scenario,
    same_opening,
    stage_parts_of_card,
    stage_parts_of_starter,
)
from mindstage.library.starters import starter, starters
from mindstage.library.views.lists import say_lost
from mindstage.prompts.history import NAMELESS
from mindstage.stories.beginnings import begin_story, check_persona
from mindstage.stories.corrections import correct_names, list_names
from mindstage.stories.drafts import find_draft
from mindstage.stories.models import Story, Turn
from mindstage.stories.reading import StoryCard, Stretch, open_stage, read_card, read_stretch
from mindstage.stories.refusals import AccountEnded, NotYours, OpeningChanged, Refused
from mindstage.stories.stage import Stage
from mindstage.stories.trash import trash_story
from mindstage.stories.turns import new_client_id
from mindstage.stories.views.asking import for_players, own_story
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose

DESK_STORIES = 7
DESK_CHARACTERS = 6
STORIES_AT_ONCE = 40
NONE_BEGUN = "No story was begun. Choose another one in its place, or go back and leave it out."
TINY = "This is a tiny demo model: it writes fluently and soon loses the thread."


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The desk of somebody who is signed in; for all others, what is on tonight."""
    if visitor_of(request) is None:
        return render(request, "library/landing.html", {"starters": starters()})
    return _desk(request)


@for_players
def _desk(request: SignedInRequest) -> HttpResponse:
    owner = request.visitor.account_id
    own = Story.objects.filter(owner=owner, trashed_on=None)
    cards = [card for story in own.order_by("-played_at")[:DESK_STORIES] if (card := _card(story)).title is not None]
    context = {
        "resume": cards[0] if cards else None,
        "also": cards[1:],
        "twice": {title for title, count in Counter(card.title for card in cards).items() if count > 1},
        "story_count": own.count(),
        "starters": starters(),
        "characters": [one for one in list_characters(owner) if one.name is not None][:DESK_CHARACTERS],
    }
    return render(request, "library/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_players
def index(request: SignedInRequest) -> HttpResponse:
    """Every story, the one played last first; or, posted to, one story more."""
    if request.method == "POST":
        return _create(request)
    owner = request.visitor.account_id
    rows = Story.objects.filter(owner=owner, trashed_on=None).order_by("-played_at", "-pk")
    page = Paginator(rows, STORIES_AT_ONCE).get_page(request.GET.get("page"))
    lying = Story.objects.filter(owner=owner, trashed_on__isnull=False, ending=False)
    just = _uuid(request.GET.get("trashed"))
    cards = [_card(story) for story in page]
    context = {
        "cards": cards,
        "lost": sum(card.title is None for card in cards),
        "page": page,
        "trashed": lying.filter(pk=just).first() if just else None,
    }
    return render(request, "stories/stories.html", context)


def _create(request: SignedInRequest) -> HttpResponse:
    """Begin a story and open its page; or say which of the things chosen for it cannot be opened any more."""
    try:
        story = _begin(request)
    except NotOpened as lost:
        return say_lost(request, lost.kind, lost.ident, note=NONE_BEGUN)
    except KeyGone:
        raise AccountEnded from None
    return HttpResponseRedirect(reverse("story", args=[story.pk]))


def _begin(request: SignedInRequest) -> Story:
    owner, about = request.visitor.account_id, ""
    name = request.POST.get("persona", "")
    if chosen := request.POST.get("as"):
        name, about = take_persona(owner, chosen)
    persona = check_persona(name, otherwise=NAMELESS)
    parts, greeting = _parts(request, persona), _number(request.POST.get("greeting", "0"))
    if not same_opening(parts, greeting, request.POST.get("openings", "")):
        raise OpeningChanged
    return begin_story(
        owner=owner,
        parts=parts,
        greeting=greeting,
        persona=persona,
        about=about or parts.about,
        lore=take_lore(owner, request.POST.getlist("books")),
    )


@require_GET
@for_players
def show(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """The play page: the last turns, the line to write, who narrates."""
    story = own_story(request, ident)
    stage = open_stage(story)
    before = request.GET.get("before")
    stretch = read_stretch(story, stage, before=_number(before) if before else None)
    trashed = _lying_turn(story, _uuid(request.GET.get("trashed")))
    return render(request, "stories/play.html", {**_page(story, stage, stretch), "trashed": trashed})


def _lying_turn(story: Story, ident: uuid.UUID | None) -> Turn | None:
    """A turn that was put into the trash without scripts: the page offers to undo it."""
    lying = Turn.objects.filter(story=story, trashed_at__isnull=False, ending=False)
    return lying.filter(pk=ident).first() if ident else None


@require_POST
@for_players
def trash(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """Put a story into the trash; the list then offers to undo it."""
    trash_story(story=own_story(request, ident))
    return HttpResponseRedirect(f"{reverse('stories')}?trashed={ident}")


@require_http_methods(["GET", "HEAD", "POST"])
@for_players
def update(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """Correct the title, and the name that the author plays under."""
    story = own_story(request, ident)
    if request.method != "POST":
        return _names(request, story)
    typed = {name: request.POST.get(name, "") for name in ("title", "persona")}
    seen = read_marks(request.POST.get("seen", ""))
    try:
        correct_names(story=story, **typed, seen=seen)
    except Meanwhile as meanwhile:
        return _names(request, story, typed_anew(typed, seen), both=meanwhile.paths)
    return HttpResponseRedirect(reverse("story", args=[ident]))


def _names(
    request: SignedInRequest, story: Story, typed: Mapping[str, str] | None = None, both: frozenset[str] = frozenset()
) -> HttpResponse:
    """The page of the names; with `both`, the names that another tab has corrected too."""
    fields = list_names(story)
    title, persona = show_fields(fields, typed or {}, both)
    context = {
        "story": {"id": story.pk, "title": fields[0].text},
        "title": title,
        "persona": persona,
        "seen": write_marks(fields),
        "problem": MEANWHILE if both else "",
    }
    return render(request, "stories/names.html", context, status=409 if both else 200)


def _page(story: Story, stage: Stage, stretch: Stretch) -> dict[str, object]:
    route = chosen_route(story.route)
    return {
        **stretch_context(story, stage, stretch),
        "segment": story.head_id,
        "form_id": new_client_id(),
        "running": _running(stretch),
        "cast": [{"name": role.name, "role": role.line} for role in stage.roles],
        "disclosure": routes.disclosure(route),
        "leaves": route.leaves,
        "route_note": TINY if route.tiny else "",
        "draft": find_draft(story),
    }


def stretch_context(story: Story, stage: Stage, stretch: Stretch) -> dict[str, object]:
    """What the partials of turns need."""
    return {
        "story": {"id": story.pk, "title": title_of(story), "persona": stage.persona, "speaker": stage.speaker},
        "turns": stretch.turns,
        "has_earlier": stretch.has_earlier,
        "first_position": stretch.first_position,
        "last_position": stretch.last_position,
    }


def title_of(story: Story) -> str:
    return story.open("title", Purpose.SHOW)


def _running(stretch: Stretch) -> dict[str, object] | None:
    """The reply that is being written on the path that is shown: as it was read, so that one which ends meanwhile is
    looked for and found ended, not shown as running for good."""
    turn = next((turn for turn in stretch.turns if turn.state == Turn.State.RUNNING), None)
    return {"run": turn.id, "turn": turn.id} if turn else None


def _card(story: Story) -> StoryCard:
    return read_card(story, reverse("story", args=[story.pk]))


def _parts(request: SignedInRequest, persona: str) -> StageParts:
    """What the story is begun from: a starter by its name, or a character or scenario of the visitor's own."""
    if own := _uuid(request.POST.get("own_scenario")):
        scenario = find_material(request.visitor.account_id, own, Kind.SCENARIO)
        if scenario is None:
            raise NotYours("This scenario does not exist, or it is not yours.")
        with opening(Kind.SCENARIO, own):
            return parts_of_scenario(scenario, persona)
    if slug := request.POST.get("scenario"):
        try:
            return stage_parts_of_starter(starter(slug), persona)
        except KeyError:
            raise NotYours("This scenario does not exist.") from None
    try:
        ident = uuid.UUID(request.POST.get("character", ""))
    except ValueError:
        raise Refused("Choose a scenario or a character to begin with.") from None
    character = find_character(request.visitor.account_id, ident)
    if character is None:
        raise NotYours("This character does not exist, or it is not yours.")
    with opening("character", ident):
        return stage_parts_of_card(character, persona)


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
