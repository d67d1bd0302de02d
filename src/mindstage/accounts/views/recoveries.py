"""A way back in for somebody who lost passphrase and passkey: a code off the sheet, or one out of a letter."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from mindstage.accounts.cookies import DOOR, give_door_cookie, take_door_cookie_back
from mindstage.accounts.doorsteps import Step, end_doorstep, look_at_doorstep, make_doorstep
from mindstage.accounts.email import address_tag, find_account_by_address, is_letter_code, make_letter_code
from mindstage.accounts.forms import CodeForm, DoorForm, EmailForm, RecoveryForm
from mindstage.accounts.letters import send_recovery_code, sends_mail
from mindstage.accounts.models import User
from mindstage.accounts.notices import notify
from mindstage.accounts.rate_limits import TooManyTries, count_code, count_letter
from mindstage.accounts.sign_in import recover
from mindstage.accounts.views.answers import admit, check_of, network_here, too_many_tries
from mindstage.ui.views import not_found

WRONG = "This handle and this code do not belong together, or the code was used before. Please look at both again."
WRONG_LETTER = "That is not the code in the e-mail. Please look at it again."
BACK_IN = "/account/?recovered#change"


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Log in with a code off the sheet, and go to where a new passphrase can be set."""
    if request.method != "POST":
        return _show(request, "recovery", RecoveryForm())
    form = RecoveryForm(request.POST)
    if not form.is_valid():
        return _show(request, "recovery", form, status=422)
    given = form.cleaned_data
    try:
        account = recover(handle=given["handle"], code=given["code"], network=network_here(request))
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: _show(request, "recovery", form, status=status))
    if account is None:
        form.add_error(None, WRONG)
        return _show(request, "recovery", form, status=422)
    return admit(request, account, BACK_IN, recovered=True)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def ask_by_mail(request: HttpRequest) -> HttpResponse:
    """Send a code to an address, if it is somebody's. Whether it is, no answer tells."""
    if not sends_mail():
        return not_found(request)
    if request.method != "POST":
        return _show(request, "email_recovery", EmailForm())
    form = EmailForm(request.POST)
    if not form.is_valid():
        return _show(request, "email_recovery", form, status=422)
    address = form.cleaned_data["address"]
    try:
        count_letter(address_tag(address), network_here(request))
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: _show(request, "email_recovery", form, status=status))
    account, code = find_account_by_address(address), make_letter_code()
    content = {
        "account": account.pk.hex if account else "",
        "check": check_of(account) if account else "",
        "tag": address_tag(address).hex(),
        "code": code,
    }
    response = HttpResponseRedirect(reverse("email_recovery_code"))
    give_door_cookie(request, response, make_doorstep(Step.RECOVERY, **content))
    # To the address that was verified, never to what was typed: the tag takes "ß" for "ss", a mail server does not.
    send_recovery_code(account.pk if account and account.may_sign_in else None, code)
    return response


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def enter_by_mail(request: HttpRequest) -> HttpResponse:
    """Log in with the code in the e-mail. Where one-time codes are on, one is still asked for."""
    door = request.COOKIES.get(DOOR, "")
    waiting = look_at_doorstep(door, Step.RECOVERY)
    if waiting is None:
        return redirect("recovery")
    if request.method != "POST":
        return _show(request, "email_recovery_code", CodeForm())
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _show(request, "email_recovery_code", form, status=422)
    try:
        count_code(bytes.fromhex(waiting["tag"]), network_here(request))
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: _show(request, "email_recovery_code", form, status=status))
    right, account = is_letter_code(form.cleaned_data["code"], waiting["code"]), _account_of(waiting)
    if account is None or not right:
        form.add_error("code", WRONG_LETTER)
        return _show(request, "email_recovery_code", form, status=422)
    if not end_doorstep(door):
        return redirect("recovery")
    notify(account=account, text="Somebody logged in with a code that was sent to your e-mail address.")
    response = admit(request, account, BACK_IN, recovered=True)
    if DOOR not in response.cookies:
        take_door_cookie_back(response)
    return response


def _account_of(waiting: dict[str, Any]) -> User | None:
    """Whose letter it was, unless the account was ended or its passphrase changed meanwhile."""
    account = User.objects.filter(pk=uuid.UUID(waiting["account"] or "0" * 32)).first()
    return account if account and account.may_sign_in and check_of(account) == waiting["check"] else None


def _show(request: HttpRequest, page: str, form: DoorForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "sends_mail": sends_mail()}
    return render(request, f"accounts/{page}.html", context, status=status)
