"""Sign up, the owner link, and the account page."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.accounts.email import show_address
from mindstage.accounts.forms import PassphraseForm, SignUpForm
from mindstage.accounts.letters import sends_mail
from mindstage.accounts.models import User
from mindstage.accounts.notices import count_notices, list_notices, see_notices
from mindstage.accounts.owner_link import is_owner_link
from mindstage.accounts.passkeys import list_passkeys
from mindstage.accounts.rate_limits import SIGN_UPS_OF_A_NETWORK, TooManyTries, count_try
from mindstage.accounts.recovery_codes import count_recovery_codes
from mindstage.accounts.refused import Refused
from mindstage.accounts.sessions import list_sessions
from mindstage.accounts.sign_in import has_passphrase
from mindstage.accounts.sign_up import sign_up
from mindstage.accounts.step_up import is_proven
from mindstage.accounts.totp import uses_totp
from mindstage.accounts.views.answers import (
    begin_session_here,
    localhost_instead,
    network_here,
    show_sheet,
    site_here,
    too_many_tries,
)
from mindstage.accounts.without_passphrase import can_do_without
from mindstage.ui.views import problem
from mindstage.vault.purposes import Purpose

NO_SCRIPT = "The script of this page did not run, so no passkey was made. Reload the page, or choose the passphrase."
DONE = {
    "changed": "The passphrase was changed, and all other sessions have ended.",
    "removed": "The passphrase was removed, and all other sessions have ended. You log in with a passkey.",
    "renamed": "Your handle was changed; log in with the new one from now on.",
    "aged": "Your age band is corrected.",
    "recovered": "You are in. Set a new passphrase now; for ten minutes the present one is not asked for.",
}
"""What the account page says on top, by the name in its address."""


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Make an account and sign in with it; or the form, again with what is wrong."""
    if request.method != "POST":
        return _form(request, SignUpForm(initial={"next": request.GET.get("next", "")}))
    form = SignUpForm(request.POST)
    if form.data.get("key") == "passkey":
        form.add_error(None, NO_SCRIPT)
    if not form.is_valid():
        return _form(request, form, status=422)
    given = form.cleaned_data
    try:
        count_try(SIGN_UPS_OF_A_NETWORK, network_here(request))
        account = sign_up(
            handle=given["handle"],
            passphrase=given["passphrase"],
            age_band=given["age_band"],
            owner_link=given["owner_link"],
        )
    except Refused as refused:
        form.refuse(refused)
        return _form(request, form, status=422)
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: _form(request, form, status=status))
    response = show_sheet(request, account, given["next"] or "/", announce=False)
    begin_session_here(request, response, account)
    return response


@require_safe
def owner(request: HttpRequest, token: str) -> HttpResponse:
    """The sign-up form of the one-time owner link. Its address is told to no other site.

    Not `no-referrer`: with it browsers send the form as `Origin: null`, which the check against foreign forms refuses.
    """
    if is_owner_link(token):
        return _form(request, SignUpForm(initial={"owner_link": token}))
    return problem(
        request,
        status=404,
        title="This owner link no longer works",
        sentence="It was used before, or a newer one was printed. Nothing was changed.",
        next_step="Whoever runs this copy finds the newest link in its terminal.",
    )


@require_visitor
@require_safe
def show(request: SignedInRequest) -> HttpResponse:
    """The account page: what is known of the person, and where they are signed in."""
    return account_page(request, PassphraseForm())


def account_page(request: SignedInRequest, form: PassphraseForm, *, status: int = 200) -> HttpResponse:
    """The account page with the passphrase form in the state that it is in."""
    account = User.objects.get(pk=request.visitor.account_id)
    context = {
        "handle": account.open("handle", Purpose.SHOW),
        "age_band_label": account.get_age_band_display(),
        "joined_on": account.joined_on,
        "passphrase_form": form,
        "sessions": list_sessions(account, current=request.visitor.key_hash),
        "has_passphrase": has_passphrase(account),
        "can_do_without": can_do_without(account, site_here(request)),
        "passkeys": list_passkeys(account.pk),
        "needs_old": has_passphrase(account) and not is_proven(request),
        "totp": uses_totp(account.pk),
        "email": show_address(account.pk),
        "sends_mail": sends_mail(),
        "codes_left": count_recovery_codes(account.pk),
        **_told(request),
        "notice": next((text for name, text in DONE.items() if name in request.GET), ""),
    }
    return render(request, "accounts/account.html", context, status=status)


def _told(request: SignedInRequest) -> dict[str, object]:
    """The newest notices, or those before the day that the address names. Whoever looks at the newest has seen all."""
    account, before, new = request.visitor.account_id, None, set[uuid.UUID]()
    with suppress(ValueError):
        before = date.fromisoformat(request.GET.get("told-before", ""))
    if before is None and request.method != "HEAD":
        new = see_notices(account)
        request.visitor = replace(request.visitor, new_notices=0)
    notices = list_notices(account, before=before, new=new)
    earlier = notices[-1].made_on if notices and count_notices(account, before=notices[-1].made_on) else None
    return {"notices": notices, "earlier_notices": earlier, "newer_notices": before is not None}


def _form(request: HttpRequest, form: SignUpForm, *, status: int = 200) -> HttpResponse:
    site = site_here(request)
    if site:  # where a passkey can be chosen, the browser must not insist on a passphrase
        form.fields["passphrase"].required = False
    context = {
        "form": form,
        "next": form["next"].value() or "",
        "passkeys": site is not None,
        "passphrase_chosen": form["key"].value() == "passphrase",
        "localhost": localhost_instead(request),
    }
    return render(request, "accounts/sign_up.html", context, status=status)
