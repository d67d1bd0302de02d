"""The page of narrators, and the installation of a better one."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from mindstage.accounts.access import SignedInRequest, require_visitor, visitor_of
from mindstage.accounts.models import User
from mindstage.gateway.ai_models import installing
from mindstage.gateway.ai_models.catalogue import CATALOGUE, UnknownModel, find_model
from mindstage.gateway.narrators import describe_model, list_narrators
from mindstage.ui.views import problem


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Who narrates, where it runs, and what could be installed."""
    narrators = list_narrators(may_install=_may_install(request), url_of={m.id: _url(m.id) for m in CATALOGUE})
    return render(request, "ui/models.html", {"narrators": narrators})


@require_http_methods(["GET", "POST"])
@require_visitor
def installation(request: SignedInRequest, model_id: str) -> HttpResponse:
    """POST: install a model, or stop its installation (`act=stop`). GET: how far it is."""
    try:
        model = find_model(model_id)
    except UnknownModel:
        raise Http404 from None
    if request.method == "POST":
        if not _may_install(request):
            return problem(
                request,
                status=403,
                title="Only the owner installs models",
                sentence="Nothing was changed. A model takes disk and memory of this machine, so its owner decides.",
            )
        act = installing.cancel if request.POST.get("act") == "stop" else installing.begin
        act(model_id)
    if request.headers.get("X-Partial") != "1":
        return HttpResponseRedirect(reverse("models"))
    narrator = describe_model(model, may_install=_may_install(request), url=_url(model_id))
    return render(request, "ui/_narrator.html", {"narrator": narrator})


def _may_install(request: HttpRequest) -> bool:
    """The owner. Where nobody has used the owner link, whoever is signed in, if only this machine is served."""
    visitor = visitor_of(request)
    if visitor is None or visitor.owner:
        return visitor is not None
    return not settings.MINDSTAGE.serves_others and not User.objects.filter(owner=True).exists()


def _url(model_id: str) -> str:
    return reverse("installation", args=[model_id])
