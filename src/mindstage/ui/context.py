"""What every template may use: the theme that was chosen and the name of this instance."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

THEMES = ("light", "dark")


def every_page(request: HttpRequest) -> dict[str, Any]:
    """`theme` is "light", "dark" or "" (the system decides); `instance_name` from the configuration."""
    theme = request.COOKIES.get("theme", "")
    return {"theme": theme if theme in THEMES else "", "instance_name": settings.MINDSTAGE.name}
