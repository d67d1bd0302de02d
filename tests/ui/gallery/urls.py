"""The addresses of the sample pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, include, path

from mindstage.config import urls
from mindstage.ui import views as ui
from ui.gallery import accounts, library, narrator, narrators, play
from ui.gallery.stage import STORY


def named(patterns: Iterable[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Name and route of each page under these patterns."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from named(pattern.url_patterns, route)
        elif pattern.name:
            yield pattern.name, route


def nothing(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponseRedirect(f"/stories/{STORY}/")


in_story = "stories/<uuid:story_id>/"
in_turn = in_story + "turns/<uuid:turn_id>/"
shown = [
    path("", include("mindstage.ui.urls")),
    path("", library.home, name="home"),
    path("theme/", ui.theme, name="theme"),
    path("account/new/", accounts.account_new, name="account_new"),
    path("session/new/", accounts.session_new, name="session_new"),
    path("account/", accounts.account, name="account"),
    path("account/recovery-codes/", accounts.recovery_codes, name="recovery_codes"),
    path("scenarios/<slug:slug>/", library.scenario, name="scenario"),
    path(
        "characters/new/",
        lambda request: render(request, "library/character_new.html", {"problem": None}),
        name="character_new",
    ),
    path("characters/", library.characters, name="characters"),
    path("characters/<uuid:character_id>/", library.character, name="character"),
    path("models/", narrators.models, name="models"),
    path("models/<str:model_id>/installation/", narrators.installation, name="installation"),
    path("problem/", narrators.problem),
    path(in_story, play.story, name="story"),
    path(in_story + "turns/", play.turns, name="turns"),
    path(in_story + "branches/", play.branch_list, name="story_branches"),
    path(in_story + "draft/", play.draft, name="draft"),
    path(in_story + "context/", play.context, name="context"),
    path(in_turn, play.turn, name="turn"),
    path(in_turn + "variants/", play.variants, name="variants"),
    path(in_turn + "choice/", play.choice, name="choice"),
    path(in_turn + "trash/", play.trash, name="trash"),
    path(in_turn + "trash/undo/", play.trash_undo, name="trash_undo"),
    path(in_turn + "branches/", play.branches, name="branches"),
    path(in_story + "stage/", play.corrections, name="story_stage"),
    path("stream/stories/<uuid:story_id>/<str:kind>", narrator.take),
    path("stream/runs/<uuid:run>", narrator.resume),
    path("stream/runs/<uuid:run>/stop", narrator.stop),
]
NAMES = {name for name, _ in named(shown)}
linked_to = [path(route, nothing, name=name) for name, route in named(urls.urlpatterns) if name not in NAMES]
"""The other pages of the program: what is shown may lead there, and comes back to the story."""
urlpatterns = shown + linked_to
