"""The program's pages, with a plain stand-in for each page of a higher room that the frame of a page links to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from mindstage.config.urls import handler404 as handler404
from mindstage.config.urls import urlpatterns as programs_own


def elsewhere(request: HttpRequest) -> HttpResponse:
    return render(request, "ui/base.html")


urlpatterns = [
    path("", elsewhere, name="home"),
    path("characters/", elsewhere, name="characters"),
    path("models/", elsewhere, name="models"),
    *programs_own,
]
