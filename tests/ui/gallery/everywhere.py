"""What the templates of every page find: who is there, the theme, the instance."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from ui.gallery.stage import stage


def person(request: HttpRequest) -> dict[str, Any]:
    return {"person": type("Person", (), {"handle": "nora"})() if stage.person else None}


def every_page(request: HttpRequest) -> dict[str, Any]:
    theme = request.COOKIES.get("theme", "")
    return {"theme": theme if theme in ("light", "dark") else "", "instance_name": "Harbour Reading Room"}
