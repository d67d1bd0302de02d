"""Every page, by room."""

from django.urls import include, path

from mindstage.ui import views as ui

urlpatterns = [
    path("theme/", ui.theme, name="theme"),
    path("", include("mindstage.accounts.urls")),
]

handler400 = ui.bad_request
handler404 = ui.not_found
handler500 = ui.server_error
