"""The e-mail address of an account: give one, show its code, take it out."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.accounts.cookies import DOOR, give_door_cookie, take_door_cookie_back
from mindstage.accounts.doorsteps import Step, end_doorstep, look_at_doorstep, make_doorstep
from mindstage.accounts.email import (
    address_tag,
    check_address,
    is_letter_code,
    keep_address,
    make_letter_code,
    remove_address,
)
from mindstage.accounts.forms import CodeForm, EmailForm
from mindstage.accounts.letters import send_code, sends_mail
from mindstage.accounts.models import User
from mindstage.accounts.rate_limits import TooManyTries, count_code, count_letter
from mindstage.accounts.refused import Refused
from mindstage.accounts.step_up import require_step_up
from mindstage.accounts.views.answers import network_here, too_many_tries
from mindstage.ui.views import not_found

WRONG = "That is not the code in the e-mail. Nothing was changed; please look at it again."


@sensitive_post_parameters()
@require_visitor
@require_step_up
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: SignedInRequest) -> HttpResponse:
    """Ask for an address, and send it a code. Nothing is kept of it but on the doorstep."""
    if not sends_mail():
        return not_found(request)
    if request.method != "POST":
        return _form(request, EmailForm())
    form = EmailForm(request.POST)
    if not form.is_valid():
        return _form(request, form, status=422)
    try:
        address = check_address(form.cleaned_data["address"])
        count_letter(address_tag(address), network_here(request))
    except Refused as refused:
        form.refuse(refused)
        return _form(request, form, status=422)
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: _form(request, form, status=status))
    code, account = make_letter_code(), request.visitor.account_id
    response = HttpResponseRedirect(reverse("email_code"))
    give_door_cookie(request, response, make_doorstep(Step.EMAIL, account=account.hex, address=address, code=code))
    send_code(address, code)
    return response


@sensitive_post_parameters()
@require_visitor
@require_step_up
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: SignedInRequest) -> HttpResponse:
    """Take the code in the e-mail, and keep the address."""
    door = request.COOKIES.get(DOOR, "")
    waiting = look_at_doorstep(door, Step.EMAIL)
    account = User.objects.get(pk=request.visitor.account_id)
    if waiting is None or waiting["account"] != account.pk.hex:
        return redirect("email")
    if request.method != "POST":
        return _ask(request, CodeForm())
    form = CodeForm(request.POST)
    try:
        count_code(bytes(account.handle_tag), network_here(request))
        if not form.is_valid() or not is_letter_code(form.cleaned_data["code"], waiting["code"]):
            raise Refused("code", WRONG)
        if not end_doorstep(door):
            return redirect("account")
        keep_address(account=account, address=waiting["address"])
    except Refused as refused:
        form.full_clean()
        form.refuse(refused)
        return _ask(request, form, status=422)
    except TooManyTries as refusal:
        form.full_clean()
        return too_many_tries(form, refusal, lambda status: _ask(request, form, status=status))
    response = redirect("account")
    take_door_cookie_back(response)
    return response


@require_visitor
@require_step_up
@require_POST
def destroy(request: SignedInRequest) -> HttpResponse:
    """Keep no address any more."""
    remove_address(account=User(id=request.visitor.account_id))
    return redirect("account")


def _form(request: SignedInRequest, form: EmailForm, *, status: int = 200) -> HttpResponse:
    return render(request, "accounts/email.html", {"form": form}, status=status)


def _ask(request: SignedInRequest, form: CodeForm, *, status: int = 200) -> HttpResponse:
    return render(request, "accounts/email_code.html", {"form": form}, status=status)
