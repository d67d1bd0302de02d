"""What anybody may see of how this instance keeps its promises."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mindstage.ops.retention import published


@require_safe
def transparency(request: HttpRequest) -> HttpResponse:
    """The oldest record of each category, beside its promise."""
    return render(request, "ops/transparency.html", {"report": published()})


@require_safe
def retention(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """The same for programs, measured once a day."""
    return JsonResponse(published(), json_dumps_params={"ensure_ascii": False, "indent": 1})
