"""Show again that it is you."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from mindstage.accounts.access import SignedInRequest, require_account, safe_next
from mindstage.accounts.forms import ProofForm
from mindstage.accounts.models import User
from mindstage.accounts.passkeys import list_passkeys
from mindstage.accounts.rate_limits import TooManyTries
from mindstage.accounts.sign_in import give_second_factor, has_passphrase, is_passphrase
from mindstage.accounts.step_up import prove
from mindstage.accounts.totp import uses_totp
from mindstage.accounts.views.answers import network_here, site_here, too_many_tries

WRONG = "That does not belong to this account. Nothing was changed; please look at it again."


@sensitive_post_parameters()
@require_account
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: SignedInRequest) -> HttpResponse:
    """Take the passphrase or a code again, and go on to where it was asked for."""
    if request.method != "POST":
        return _form(request, ProofForm(initial={"next": request.GET.get("next", "")}))
    form = ProofForm(request.POST)
    if not form.is_valid():
        return _form(request, form, status=422)
    given = form.cleaned_data
    account = User.objects.get(pk=request.visitor.account_id)
    try:
        if given["passphrase"]:
            right = is_passphrase(account=account, passphrase=given["passphrase"])
        else:
            right = give_second_factor(account=account, code=given["code"], network=network_here(request))
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: _form(request, form, status=status))
    if not right:
        form.add_error(None, WRONG)
        return _form(request, form, status=422)
    prove(request)
    return HttpResponseRedirect(safe_next(given["next"]))


def _form(request: SignedInRequest, form: ProofForm, *, status: int = 200) -> HttpResponse:
    account = User.objects.get(pk=request.visitor.account_id)
    context = {
        "form": form,
        "next": form["next"].value() or "",
        "passphrase": has_passphrase(account),
        "passkeys": site_here(request) is not None and bool(list_passkeys(account.pk)),
        "totp": uses_totp(account.pk),
    }
    return render(request, "accounts/proof.html", context, status=status)
