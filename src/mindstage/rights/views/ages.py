"""Correct one's age band."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.accounts.forms import UNDER_13, AgeForm
from mindstage.accounts.models import User
from mindstage.accounts.refused import Refused
from mindstage.accounts.step_up import require_step_up
from mindstage.rights.ages import correct_age_band
from mindstage.rights.views import erasures


@require_visitor
@require_step_up
@require_http_methods(["GET", "HEAD", "POST"])
def update(request: SignedInRequest) -> HttpResponse:
    """The form, and the change. Under 13 nothing is changed here: the page of the end says what that means and asks."""
    if request.method != "POST":
        account = User.objects.get(pk=request.visitor.account_id)
        return _form(request, AgeForm(initial={"age_band": account.age_band}))
    form = AgeForm(request.POST)
    if not form.is_valid():
        return _form(request, form, status=422)
    if form.cleaned_data["age_band"] == UNDER_13:
        return HttpResponseRedirect(f"{reverse('erasures')}?{erasures.UNDER_13}")
    try:
        correct_age_band(person=request.visitor.account_id, age_band=form.cleaned_data["age_band"])
    except Refused as refused:
        form.refuse(refused)
        return _form(request, form, status=422)
    return HttpResponseRedirect(f"{reverse('account')}?aged")


def _form(request: SignedInRequest, form: AgeForm, *, status: int = 200) -> HttpResponse:
    return render(request, "rights/age.html", {"form": form}, status=status)
