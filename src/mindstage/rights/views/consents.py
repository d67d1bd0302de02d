"""The switches: each works at once, with or without scripts."""

from __future__ import annotations

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.accounts.rate_limits import TooManyTries
from mindstage.accounts.views.answers import too_many
from mindstage.rights.consents import NoSuchQuestion, SaidNoBySignal, Switch, give, switches_of, withdraw
from mindstage.rights.middleware import sends_signal
from mindstage.ui.views import problem


@require_visitor
@require_safe
def show(request: SignedInRequest) -> HttpResponse:
    """Every question that this person is asked, with its history."""
    context = {"switches": switches_of(request.visitor.account_id), "signal": sends_signal(request)}
    return render(request, "rights/consents.html", context)


@require_POST
@require_visitor
def update(request: SignedInRequest, purpose: str) -> HttpResponse:
    """Say yes (`given=yes`) or no to one question."""
    person = request.visitor.account_id
    try:
        if request.POST.get("given") == "yes":
            give(person=person, purpose=purpose, signal=sends_signal(request))
        else:
            withdraw(person=person, purpose=purpose)
    except NoSuchQuestion:
        raise Http404 from None
    except TooManyTries as refusal:
        return too_many(request, refusal, title="The switch is as it was")
    except SaidNoBySignal:
        return _refuse_signal(request)
    if request.headers.get("X-Partial") != "1":
        return HttpResponseRedirect(f"{reverse('consents')}#ask-{purpose}")  # the switch's id in _switch.html
    return render(
        request, "rights/_answered.html", {"switch": _switch(request, purpose), "signal": sends_signal(request)}
    )


def _switch(request: SignedInRequest, purpose: str) -> Switch:
    return next(switch for switch in switches_of(request.visitor.account_id) if switch.question.id == purpose)


def _refuse_signal(request: SignedInRequest) -> HttpResponse:
    return problem(
        request,
        status=409,
        title="Your browser has said no",
        sentence="Nothing was changed: this browser sends Global Privacy Control, and we take that as a no.",
        next_step="To be counted, switch that signal off for this site in the browser, then come back.",
    )
