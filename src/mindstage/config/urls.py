"""Every page, by room."""

from django.urls import include, path

from mindstage.ui import views as ui

urlpatterns = [
    path("", include("mindstage.ui.urls")),
    path("", include("mindstage.accounts.urls")),
    path("", include("mindstage.gateway.urls")),
    path("", include("mindstage.library.urls")),
    path("", include("mindstage.stories.urls")),
    path("", include("mindstage.rights.urls")),
    path("", include("mindstage.ops.urls")),
]

handler400 = ui.bad_request
handler404 = ui.not_found
handler500 = ui.server_error
