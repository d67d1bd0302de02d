"""The pages of this room and its frame, with a plain stand-in for each page of a higher room that it links to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from mindstage.ui import views as ui


def elsewhere(request: HttpRequest) -> HttpResponse:
    return render(request, "ui/base.html")


urlpatterns = [
    path("", elsewhere, name="home"),
    path("characters/", elsewhere, name="characters"),
    path("your-data/", elsewhere, name="your_data"),
    path("models/", elsewhere, name="models"),
    path("your-data/", elsewhere, name="your_data"),
    path("theme/", ui.theme, name="theme"),
    path("", include("mindstage.ui.urls")),
    path("", include("mindstage.accounts.urls")),
]
handler404 = ui.not_found
