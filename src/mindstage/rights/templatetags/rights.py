"""`{% load rights %}`."""

from __future__ import annotations

from collections.abc import Sequence

from django import template

register = template.Library()


@register.filter
def at(items: Sequence[str], place: int) -> str:
    """The item at a place, from 0: the heading over a cell."""
    return items[place]
