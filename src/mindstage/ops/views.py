"""What anybody may see of how this instance keeps its promises."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mindstage.ops.published_head import signed_head
from mindstage.ops.retention import published


@require_safe
def transparency(request: HttpRequest) -> HttpResponse:
    """The oldest record of each category, beside its promise."""
    report = published()
    lines = [{**line, "oldest": _day(line["oldest"])} for line in report["categories"]]
    return render(request, "ops/transparency.html", {"measured_on": _day(report["measured_on"]), "lines": lines})


@require_safe
def retention(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """The same for programs, measured once a day."""
    return JsonResponse(published(), json_dumps_params={"ensure_ascii": False, "indent": 1})


@require_safe
def ledger_head(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """The head of the ledger of endings, signed."""
    return JsonResponse(signed_head(), json_dumps_params={"ensure_ascii": False, "indent": 1})


def _day(said: str | None) -> date | None:
    return date.fromisoformat(said) if said else None
