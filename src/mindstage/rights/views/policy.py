"""The policy: the version that holds, every earlier one, what changed, the feed."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_POST, require_safe

from mindstage.accounts.access import SignedInRequest, require_visitor, safe_next
from mindstage.datamap.facts import Facts
from mindstage.datamap.policy import write_policy
from mindstage.datamap.releases import differences_of, releases
from mindstage.rights.changes import describe
from mindstage.rights.versions import Standing, close_banner, standings, version_in_force


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The version that holds today."""
    return _page(request, version_in_force(), standings())


@require_safe
def version(request: HttpRequest, number: int) -> HttpResponse:
    """One version, also one that is over or that does not hold yet."""
    found = standings()
    return _page(request, _pick(found, number), found)


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    """Every version with its summary and the machine's account of what it changed, the newest first."""
    found = standings()
    versions = [{"standing": standing, "changes": _changes(standing)} for standing in reversed(found)]
    return render(request, "rights/policy_changes.html", {"versions": versions, "in_force": version_in_force()})


@require_safe
def difference(request: HttpRequest, number: int) -> HttpResponse:  # noqa: ARG001 - a view
    """What a version changed, for programs."""
    standing = _pick(standings(), number)
    body = {
        "version": number,
        "released": standing.release.made_on.isoformat(),
        "effective": standing.effective_on.isoformat(),
        "summary": list(standing.release.summary),
        "differences": [found.as_json() for found in differences_of(number, releases())],
    }
    return JsonResponse(body, json_dumps_params={"ensure_ascii": False, "indent": 1})


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """An Atom feed of the versions."""
    atom = Atom1Feed(
        title=f"Data policy of {settings.MINDSTAGE.name}",
        link=request.build_absolute_uri(reverse("policy")),
        feed_url=request.build_absolute_uri(reverse("policy_feed")),
        description="Each version of the data policy, when it is announced.",
        language="en",
    )
    for standing in reversed(standings()):
        address = request.build_absolute_uri(reverse("policy_version", args=[standing.release.number]))
        announced = datetime.combine(standing.seen_on, time(), UTC)
        atom.add_item(
            title=f"Version {standing.release.number}, in force from {standing.effective_on.isoformat()}",
            link=address,
            unique_id=address,
            description=" ".join(standing.release.summary),
            pubdate=announced,
            updateddate=announced,
        )
    return HttpResponse(atom.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


@require_POST
@require_visitor
def notice(request: SignedInRequest, number: int) -> HttpResponse:
    """The banner about a version was read."""
    _pick(standings(), number)
    close_banner(request.visitor.account_id, number)
    if request.headers.get("X-Partial") == "1":
        return render(request, "rights/_banner_now.html")
    return HttpResponseRedirect(safe_next(request.POST.get("next", "/")))


def _page(request: HttpRequest, standing: Standing, found: list[Standing]) -> HttpResponse:
    facts = Facts.of(settings.MINDSTAGE)
    context = {
        "standing": standing,
        "in_force": version_in_force(),
        "newest": found[-1],
        "versions": list(reversed(found)),
        "changes": _changes(standing),
        "sections": write_policy(standing.release.content, facts),
        "facts": facts,
    }
    return render(request, "rights/policy.html", context)


def _changes(standing: Standing) -> list[dict[str, Any]]:
    return describe(differences_of(standing.release.number, releases()))


def _pick(found: list[Standing], number: int) -> Standing:
    for standing in found:
        if standing.release.number == number:
            return standing
    raise Http404
