"""Answers the hashed names that pages link. Their bytes never change, so a browser asks for each once."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from mindstage.ui.assets import find_asset


@require_safe
def asset(request: HttpRequest, name: str) -> HttpResponse:
    """The stylesheet, a module or the icon, packed when the browser can unpack it."""
    found = find_asset(name)
    if found is None:
        raise Http404
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(found.packed if packed else found.body, content_type=found.content_type)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Vary"] = "Accept-Encoding"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    return response
