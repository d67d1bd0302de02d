"""The addresses of the library. No name or text is ever in one; a scenario's slug comes with the program."""

from __future__ import annotations

from django.urls import path

from mindstage.library.views import characters, corrections, portraits, scenarios

urlpatterns = [
    path("scenarios/<slug:slug>/", scenarios.show, name="scenario"),
    path("characters/", characters.index, name="characters"),
    path("characters/new/", characters.new, name="character_new"),
    path("characters/<uuid:ident>/", characters.show, name="character"),
    path("characters/<uuid:ident>/edit/", corrections.edit, name="character_edit"),
    path("characters/<uuid:ident>/trash/", characters.trash, name="character_trash"),
    path("characters/<uuid:ident>/portrait/", portraits.show, name="portrait"),
    path("characters/<uuid:ident>/picture/", portraits.update, name="picture"),
]
