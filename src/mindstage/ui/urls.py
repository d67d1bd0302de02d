"""The addresses that belong to no room: what pages link besides pages, and the theme."""

from django.urls import path

from mindstage.ui import views
from mindstage.ui.serving import asset

urlpatterns = [
    path("static/<str:name>", asset, name="asset"),
    path("theme/", views.theme, name="theme"),
]
