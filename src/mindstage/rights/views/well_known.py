"""What programs ask for: the data map, its schema, and the word about Global Privacy Control."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from mindstage.datamap.facts import Facts
from mindstage.datamap.schema import as_served, schema_text
from mindstage.rights.versions import version_in_force


@require_safe
def data_map(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """The map of the version that holds, with the operator's facts."""
    standing = version_in_force()
    body = as_served(
        standing.release.content,
        Facts.of(settings.MINDSTAGE),
        number=standing.release.number,
        made_on=standing.release.made_on,
        effective_on=standing.effective_on,
    )
    return JsonResponse(body, json_dumps_params={"ensure_ascii": False, "indent": 1})


@require_safe
def data_map_schema(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The JSON Schema of the map."""
    return HttpResponse(schema_text(), content_type="application/schema+json")


@require_safe
def gpc(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """This site honours Global Privacy Control (the specification's support resource)."""
    return JsonResponse({"gpc": True, "lastUpdate": version_in_force().release.made_on.isoformat()})
