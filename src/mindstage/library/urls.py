"""The addresses of the library. No name or text is ever in one; a scenario's slug comes with the program."""

from __future__ import annotations

from django.urls import URLPattern, path

from mindstage.library.contents import Kind
from mindstage.library.trash import MANY
from mindstage.library.views import characters, corrections, materials, portraits, scenarios


def _of_kind(kind: Kind) -> list[URLPattern]:
    """The pages that materials of every kind have."""
    many, told = MANY[kind], {"kind": kind.value}
    return [
        path(f"{many}/", materials.index, told, name=f"own_{many}"),
        path(f"{many}/<uuid:ident>/edit/", materials.edit, told, name=f"own_{kind}_edit"),
        path(f"{many}/<uuid:ident>/trash/", materials.trash, told, name=f"own_{kind}_trash"),
    ]


urlpatterns = [
    *_of_kind(Kind.PERSONA),
    *_of_kind(Kind.LOREBOOK),
    *_of_kind(Kind.SCENARIO),
    path("personas/new/", materials.new, {"kind": "persona"}, name="own_persona_new"),
    path("lorebooks/new/", materials.new, {"kind": "lorebook"}, name="own_lorebook_new"),
    path("scenarios/new/", materials.new, {"kind": "scenario"}, name="own_scenario_new"),
    path("lorebooks/<uuid:ident>/file/", materials.download, name="own_lorebook_file"),
    path("scenarios/<uuid:ident>/", scenarios.show_own, name="own_scenario"),
    path("scenarios/<slug:slug>/", scenarios.show, name="scenario"),
    path("characters/", characters.index, name="characters"),
    path("characters/new/", characters.new, name="character_new"),
    path("characters/<uuid:ident>/", characters.show, name="character"),
    path("characters/<uuid:ident>/edit/", corrections.edit, name="character_edit"),
    path("characters/<uuid:ident>/trash/", characters.trash, name="character_trash"),
    path("characters/<uuid:ident>/portrait/", portraits.show, name="portrait"),
    path("characters/<uuid:ident>/picture/", portraits.update, name="picture"),
]
