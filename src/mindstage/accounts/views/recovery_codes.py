"""The sheet of recovery codes: shown once."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from mindstage.accounts.access import SignedInRequest, require_visitor, safe_next
from mindstage.accounts.cookies import DOOR, take_door_cookie_back
from mindstage.accounts.doorsteps import Step, take_doorstep
from mindstage.accounts.models import User
from mindstage.accounts.recovery_codes import count_recovery_codes
from mindstage.accounts.step_up import require_step_up
from mindstage.accounts.views.answers import show_sheet
from mindstage.vault.purposes import Purpose


@require_visitor
@require_safe
def show(request: SignedInRequest) -> HttpResponse:
    """The new sheet, if one was just made; otherwise how many codes are left."""
    made = take_doorstep(request.COOKIES.get(DOOR, ""), Step.SHEET)
    account = User.objects.get(pk=request.visitor.account_id)
    mine = made is not None and made["account"] == account.pk.hex
    context = {
        "codes": made["codes"] if made and mine else [],
        "left": count_recovery_codes(account.pk),
        "handle": account.open("handle", Purpose.SHOW),
        "next": safe_next(request.GET.get("next", "/")),
    }
    response = render(request, "accounts/recovery_codes.html", context)
    if mine:
        take_door_cookie_back(response)
    return response


@require_visitor
@require_step_up
@require_POST
def create(request: SignedInRequest) -> HttpResponse:
    """Make a new sheet; the former one no longer works."""
    return show_sheet(request, User(id=request.visitor.account_id), "/account/")
