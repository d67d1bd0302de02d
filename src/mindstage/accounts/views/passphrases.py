"""Change the passphrase, or go on without one."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.accounts.cookies import give_cookie
from mindstage.accounts.forms import PassphraseForm
from mindstage.accounts.models import User
from mindstage.accounts.rate_limits import TooManyTries
from mindstage.accounts.refused import Refused
from mindstage.accounts.sign_in import change_passphrase, has_passphrase
from mindstage.accounts.step_up import is_proven, lead_to_proof, require_step_up
from mindstage.accounts.views.accounts import account_page
from mindstage.accounts.views.answers import device_of, site_here, too_many_tries
from mindstage.accounts.without_passphrase import remove_passphrase
from mindstage.ui.views import problem


@sensitive_post_parameters()
@require_visitor
@require_POST
def update(request: SignedInRequest) -> HttpResponse:
    """Change it, end all other sessions, and keep this browser signed in under a new cookie."""
    form = PassphraseForm(request.POST)
    if not form.is_valid():
        return account_page(request, form, status=422)
    account = User.objects.get(pk=request.visitor.account_id)
    given, proven = form.cleaned_data, is_proven(request)
    if not proven and not has_passphrase(account):
        return lead_to_proof(request)
    try:
        cookie = change_passphrase(
            account=account, old=given["old"], new=given["new"], device=device_of(request), proven=proven
        )
    except Refused as refused:
        form.refuse(refused)
        return account_page(request, form, status=422)
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: account_page(request, form, status=status))
    response = HttpResponseRedirect(f"{reverse('account')}?changed")
    give_cookie(request, response, cookie)
    return response


@require_visitor
@require_step_up
@require_POST
def destroy(request: SignedInRequest) -> HttpResponse:
    """Remove it, end all other sessions, and keep this browser signed in under a new cookie."""
    account = User.objects.get(pk=request.visitor.account_id)
    try:
        cookie = remove_passphrase(account=account, site=site_here(request), device=device_of(request))
    except Refused as refused:
        return problem(request, status=409, title="The passphrase stays", sentence=refused.sentence)
    response = HttpResponseRedirect(f"{reverse('account')}?removed")
    give_cookie(request, response, cookie)
    return response
