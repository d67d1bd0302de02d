"""The addresses of the sample pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import include, path

from mindstage.ui import views as ui
from ui.gallery import accounts, library, narrator, narrators, play
from ui.gallery.stage import STORY


def nothing(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponseRedirect(f"/stories/{STORY}/")


KEYS = (
    "handle",
    "passphrase_removal",
    "recovery",
    "passkeys",
    "totp",
    "totp_removal",
    "recovery_codes",
    "email",
    "email_removal",
    "email_recovery",
    "your_data",
)
"""The pages of keys and ways back in: linked to, not shown here."""
in_story = "stories/<uuid:story_id>/"
in_turn = in_story + "turns/<uuid:turn_id>/"
urlpatterns = [
    path("", include("mindstage.ui.urls")),
    path("", library.home, name="home"),
    path("theme/", ui.theme, name="theme"),
    path("account/new/", accounts.account_new, name="account_new"),
    path("session/new/", accounts.session_new, name="session_new"),
    path("session/end/", nothing, name="session_end"),
    path("account/", accounts.account, name="account"),
    *(path(f"nothing/{name}/", nothing, name=name) for name in KEYS),
    path("scenarios/<slug:slug>/", library.scenario, name="scenario"),
    path("personas/", lambda request: HttpResponse(), name="own_personas"),
    path("lorebooks/", lambda request: HttpResponse(), name="own_lorebooks"),
    path("scenarios/", lambda request: HttpResponse(), name="own_scenarios"),
    path("personas/new/", lambda request: HttpResponse(), name="own_persona_new"),
    path("lorebooks/new/", lambda request: HttpResponse(), name="own_lorebook_new"),
    path(
        "characters/new/",
        lambda request: render(request, "library/character_new.html", {"problem": None}),
        name="character_new",
    ),
    path("characters/", library.characters, name="characters"),
    path("characters/<uuid:character_id>/", library.character, name="character"),
    path("characters/<uuid:character_id>/portrait/", nothing, name="portrait"),
    path("characters/<uuid:ident>/picture/", nothing, name="picture"),
    path("characters/<uuid:ident>/edit/", nothing, name="character_edit"),
    path("stories/", nothing, name="stories"),
    path("models/", narrators.models, name="models"),
    path("models/<str:model_id>/installation/", narrators.installation, name="installation"),
    path("problem/", narrators.problem),
    path(in_story, play.story, name="story"),
    path(in_story + "turns/", play.turns, name="turns"),
    path(in_story + "branches/", play.branch_list, name="story_branches"),
    path(in_story + "branches/<uuid:segment_id>/", nothing, name="branch"),
    path(in_story + "draft/", play.draft, name="draft"),
    path(in_story + "context/", play.context, name="context"),
    path(in_turn, play.turn, name="turn"),
    path(in_turn + "variants/", play.variants, name="variants"),
    path(in_turn + "choice/", play.choice, name="choice"),
    path(in_turn + "trash/", play.trash, name="trash"),
    path(in_turn + "trash/undo/", play.trash_undo, name="trash_undo"),
    path(in_turn + "branches/", play.branches, name="branches"),
    path("your-data/", nothing, name="your_data"),
    path("trash/<uuid:item>/undo/", nothing, name="item_undo"),
    path("characters/<uuid:ident>/trash/", nothing, name="character_trash"),
    path(in_story + "trash/", nothing, name="story_trash"),
    path("exports/", nothing, name="exports"),
    path(in_story + "stage/", play.corrections, name="story_stage"),
    path(in_story + "names/", nothing, name="story_names"),
    path("stream/stories/<uuid:story_id>/<str:kind>", narrator.take),
    path("stream/runs/<uuid:run>", narrator.resume),
    path("stream/runs/<uuid:run>/stop", narrator.stop),
]
