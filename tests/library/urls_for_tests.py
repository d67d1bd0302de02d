"""The library's addresses with those its pages link to; what lies behind the latter is not of this room."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from mindstage.ui import views as ui


def elsewhere(request: HttpRequest) -> HttpResponse:
    return HttpResponse("elsewhere")


urlpatterns = [
    path("", include("mindstage.ui.urls")),
    path("", include("mindstage.accounts.urls")),
    path("", include("mindstage.library.urls")),
    path("", elsewhere, name="home"),
    path("stories/", elsewhere, name="stories"),
    path("models/", elsewhere, name="models"),
    path("your-data/", elsewhere, name="your_data"),
    path("trash/<uuid:item>/undo/", elsewhere, name="item_undo"),
    path("theme/", ui.theme, name="theme"),
]
handler400, handler404, handler500 = ui.bad_request, ui.not_found, ui.server_error
