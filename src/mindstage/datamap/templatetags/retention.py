"""`{% load retention %}`: how long this copy keeps something, for a sentence on a page."""

from __future__ import annotations

from django import template

from mindstage.datamap.retention import in_days, kept_for

register = template.Library()


@register.simple_tag
def kept(name: str) -> str:
    """{% kept "trash" %}: "30 days", or the operator's shorter time. `name` as in [retention]."""
    return in_days(kept_for(name).days)
