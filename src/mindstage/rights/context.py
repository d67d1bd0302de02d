"""The banner that every page shows while the policy changes, or while somebody must be asked again."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from mindstage.accounts.access import visitor_of
from mindstage.datamap.releases import releases
from mindstage.rights.consents import asked_again
from mindstage.rights.versions import announced, has_closed_banner


def policy_banner(request: HttpRequest) -> dict[str, Any]:
    """`policy_banner`: {standing, questions}, or None. The database is not asked until a second version exists."""
    return {"policy_banner": SimpleLazyObject(lambda: find_banner(request))}


def find_banner(request: HttpRequest) -> dict[str, Any] | None:
    """What the banner has to say to whoever asks, if anything."""
    visitor = visitor_of(request)
    if visitor is None or len(releases()) < 2:
        return None
    standing = announced()
    if standing and has_closed_banner(visitor.account_id, standing.release.number):
        standing = None
    questions = asked_again(visitor.account_id)
    return {"standing": standing, "questions": questions} if standing or questions else None
