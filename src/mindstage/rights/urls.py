"""The addresses of what people may ask for: their data, its export, its end; and the policy."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
