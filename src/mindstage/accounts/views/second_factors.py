"""The second step of a log-in, and turning it on and off."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.accounts.cookies import DOOR, give_door_cookie, take_door_cookie_back
from mindstage.accounts.doorsteps import Step, end_doorstep, look_at_doorstep, make_doorstep, take_doorstep
from mindstage.accounts.forms import CodeForm
from mindstage.accounts.models import User
from mindstage.accounts.rate_limits import TooManyTries, count_code
from mindstage.accounts.refused import Refused
from mindstage.accounts.sign_in import give_second_factor
from mindstage.accounts.step_up import require_step_up
from mindstage.accounts.totp import draw_totp_address, make_totp_secret, totp_address, turn_off_totp, turn_on_totp
from mindstage.accounts.views.answers import check_of, enter, network_here, too_many_tries
from mindstage.vault.purposes import Purpose

WRONG = "That is not a code of now, or it was used before. Please take the next one."


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Ask for the one-time code, after the right passphrase or letter. Until it is given there is no session at all."""
    door = request.COOKIES.get(DOOR, "")
    waiting = look_at_doorstep(door, Step.SECOND_FACTOR)
    account = _account_of(waiting)
    if waiting is None or account is None:
        return redirect("session_new")
    by_mail = waiting["recovered"]
    if request.method != "POST":
        return _ask(request, CodeForm(), by_mail=by_mail)
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _ask(request, form, by_mail=by_mail, status=422)
    try:
        right = give_second_factor(account=account, code=form.cleaned_data["code"], network=network_here(request))
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: _ask(request, form, by_mail=by_mail, status=status))
    if not right:
        form.add_error("code", WRONG)
        return _ask(request, form, by_mail=by_mail, status=422)
    if not end_doorstep(door):  # another request of this browser was faster
        return redirect("session_new")
    response = enter(request, account, waiting["next"], proven=by_mail)
    take_door_cookie_back(response)
    return response


@sensitive_post_parameters()
@require_visitor
@require_step_up
@require_http_methods(["GET", "HEAD", "POST"])
def update(request: SignedInRequest) -> HttpResponse:
    """Turn one-time codes on: show the key, and keep it once the app has shown a right code of it."""
    door = request.COOKIES.get(DOOR, "")
    made = look_at_doorstep(door, Step.TOTP)
    account = User.objects.get(pk=request.visitor.account_id)
    if request.method != "POST" or made is None or made["account"] != account.pk.hex:
        secret = make_totp_secret()
        response = _offer(request, account, secret, CodeForm())
        give_door_cookie(request, response, make_doorstep(Step.TOTP, account=account.pk.hex, secret=secret))
        return response
    form = CodeForm(request.POST)
    try:
        count_code(bytes(account.handle_tag), b"")
        turn_on_totp(account=account, secret=made["secret"], code=form.data.get("code", ""))
    except Refused as refused:
        form.full_clean()
        form.refuse(refused)
        return _offer(request, account, made["secret"], form, status=422)
    except TooManyTries as refusal:
        form.full_clean()
        return too_many_tries(form, refusal, lambda status: _offer(request, account, made["secret"], form, status))
    take_doorstep(door, Step.TOTP)
    response = HttpResponseRedirect(reverse("account"))
    take_door_cookie_back(response)
    return response


@require_visitor
@require_step_up
@require_POST
def destroy(request: SignedInRequest) -> HttpResponse:
    """Turn one-time codes off."""
    turn_off_totp(account=User(id=request.visitor.account_id))
    return redirect("account")


def _account_of(waiting: dict[str, Any] | None) -> User | None:
    """The account that stands at the door, unless it was frozen or its passphrase changed meanwhile."""
    account = User.objects.filter(pk=uuid.UUID(waiting["account"])).first() if waiting else None
    if account is None or waiting is None or not account.may_sign_in or check_of(account) != waiting["check"]:
        return None
    return account


def _ask(request: HttpRequest, form: CodeForm, *, by_mail: bool, status: int = 200) -> HttpResponse:
    return render(request, "accounts/second_factor.html", {"form": form, "by_mail": by_mail}, status=status)


def _offer(request: SignedInRequest, account: User, secret: str, form: CodeForm, status: int = 200) -> HttpResponse:
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    address = totp_address(secret, account.open("handle", Purpose.SHOW))
    drawn = mark_safe(draw_totp_address(address))  # noqa: S308 - numbers and our own words, nothing that anybody typed
    context = {"form": form, "secret": groups, "address": address, "qr": drawn}
    return render(request, "accounts/totp.html", context, status=status)
