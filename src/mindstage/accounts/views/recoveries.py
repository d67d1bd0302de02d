"""A way back in for somebody who lost passphrase and passkey."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from mindstage.accounts.forms import RecoveryForm
from mindstage.accounts.rate_limits import TooManyTries
from mindstage.accounts.sign_in import recover
from mindstage.accounts.views.answers import admit, network_here, too_many_tries

WRONG = "This handle and this code do not belong together, or the code was used before. Please look at both again."
BACK_IN = "/account/?recovered#change"


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Log in with a code off the sheet, and go to where a new passphrase can be set."""
    if request.method != "POST":
        return _form(request, RecoveryForm())
    form = RecoveryForm(request.POST)
    if not form.is_valid():
        return _form(request, form, status=422)
    given = form.cleaned_data
    try:
        account = recover(handle=given["handle"], code=given["code"], network=network_here(request))
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: _form(request, form, status=status))
    if account is None:
        form.add_error(None, WRONG)
        return _form(request, form, status=422)
    return admit(request, account, BACK_IN, recovered=True)


def _form(request: HttpRequest, form: RecoveryForm, *, status: int = 200) -> HttpResponse:
    return render(request, "accounts/recovery.html", {"form": form}, status=status)
