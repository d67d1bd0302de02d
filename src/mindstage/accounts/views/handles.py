"""Change one's handle."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.accounts.forms import HandleForm
from mindstage.accounts.models import User
from mindstage.accounts.rate_limits import SIGN_UPS_OF_A_NETWORK, TooManyTries, count_try
from mindstage.accounts.refused import Refused
from mindstage.accounts.renaming import change_handle
from mindstage.accounts.step_up import require_step_up
from mindstage.accounts.views.answers import network_here, too_many_tries


@sensitive_post_parameters()
@require_visitor
@require_step_up
@require_http_methods(["GET", "HEAD", "POST"])
def update(request: SignedInRequest) -> HttpResponse:
    """The form, and the change. It tells of other handles what a sign-up tells, so both are counted together."""
    if request.method != "POST":
        return _form(request, HandleForm())
    form = HandleForm(request.POST)
    if not form.is_valid():
        return _form(request, form, status=422)
    try:
        count_try(SIGN_UPS_OF_A_NETWORK, network_here(request))
        account = User.objects.get(pk=request.visitor.account_id)
        change_handle(account=account, handle=form.cleaned_data["handle"])
    except Refused as refused:
        form.refuse(refused)
        return _form(request, form, status=422)
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: _form(request, form, status=status))
    return HttpResponseRedirect(f"{reverse('account')}?renamed")


def _form(request: SignedInRequest, form: HandleForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "handle": request.visitor.open_handle()}
    return render(request, "accounts/handle.html", context, status=status)
