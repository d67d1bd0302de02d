"""The addresses of what the instance publishes about itself."""

from __future__ import annotations

from django.urls import URLPattern, path

from mindstage.ops import views

urlpatterns: list[URLPattern] = [
    path("transparency/", views.transparency, name="transparency"),
    path("transparency/retention.json", views.retention, name="retention"),
    path(".well-known/log/checkpoint", views.ledger_head, name="ledger_head"),
]
