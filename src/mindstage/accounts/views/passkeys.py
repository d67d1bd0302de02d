"""Passkeys: two addresses for the browser's ceremony, whatever it is for, and the pages around them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mindstage.accounts import passkeys
from mindstage.accounts.access import SignedInRequest, require_visitor, safe_next, visitor_of
from mindstage.accounts.cookies import DOOR, give_door_cookie, take_door_cookie_back
from mindstage.accounts.doorsteps import Step, make_doorstep, take_doorstep
from mindstage.accounts.models import User
from mindstage.accounts.passkeys import Answer, Options, Site, State
from mindstage.accounts.rate_limits import PASSKEYS_OF_A_NETWORK, SIGN_UPS_OF_A_NETWORK, TooManyTries, count_try
from mindstage.accounts.refused import Refused
from mindstage.accounts.sessions import end_other_sessions
from mindstage.accounts.sign_up import check_newcomer, sign_up_with_passkey
from mindstage.accounts.step_up import is_proven, lead_to_proof, prove, require_step_up
from mindstage.accounts.views.answers import begin_session_here, network_here, show_sheet, site_here
from mindstage.kit import ids
from mindstage.ui.views import not_found
from mindstage.vault.purposes import Purpose

NOT_HERE = "Passkeys need an address with a name and HTTPS, or localhost. Nothing was changed."
TOO_LATE = "That took longer than ten minutes, or was done before. Nothing was changed; please begin again."
NOT_YOURS = "Nothing was changed: your session has ended, or the proof of who you are has. Please load the page again."
UNKNOWN = "This passkey is not known here, or its account is not open. Nothing was changed."

type Prepared = tuple[Options, State, dict[str, Any]]


@sensitive_post_parameters()
@require_POST
def options(request: HttpRequest) -> HttpResponse:
    """Begin a ceremony: what the browser needs, and a doorstep that remembers the challenge."""
    what = request.POST.get("what", "")
    site = site_here(request)
    if site is None or what not in _BEGINNINGS:
        return _say(Refused("", NOT_HERE))
    try:
        offered, state, content = _BEGINNINGS[what](request, site)
    except (Refused, TooManyTries) as refusal:
        return _say(refusal)
    response = JsonResponse(offered)
    give_door_cookie(request, response, make_doorstep(Step.PASSKEY, what=what, state=state, **content))
    return response


@sensitive_post_parameters()
@require_POST
def answer(request: HttpRequest) -> HttpResponse:
    """End a ceremony. The challenge is used up whatever comes of it; the answer says where to go on."""
    site = site_here(request)
    begun = take_doorstep(request.COOKIES.get(DOOR, ""), Step.PASSKEY)
    if site is None or begun is None:
        return _say(Refused("", TOO_LATE))
    try:
        credential = passkeys.read_answer(request.POST.get("credential", ""))
        response = _ENDINGS[begun["what"]](request, site, begun, credential)
    except Refused as refusal:
        return _say(refusal)
    if DOOR not in response.cookies:
        take_door_cookie_back(response)
    return response


@require_visitor
@require_step_up
@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    """All passkeys of the person, and a form for one more."""
    return _page(request)


@require_visitor
@require_http_methods(["POST"])
def update(request: SignedInRequest, passkey: uuid.UUID) -> HttpResponse:
    """Give one another name."""
    if passkeys.find_passkey(request.visitor.account_id, passkey) is None:
        return not_found(request)
    if not is_proven(request):
        return lead_to_proof(request)
    account = User(id=request.visitor.account_id)
    passkeys.rename_passkey(account=account, ident=passkey, name=request.POST.get("name", ""))
    return redirect("passkeys")


@require_visitor
@require_http_methods(["POST"])
def destroy(request: SignedInRequest, passkey: uuid.UUID) -> HttpResponse:
    """Remove one, and end every other session: it may have been opened with what is removed."""
    if passkeys.find_passkey(request.visitor.account_id, passkey) is None:
        return not_found(request)
    if not is_proven(request):
        return lead_to_proof(request)
    account = User(id=request.visitor.account_id)
    try:
        passkeys.remove_passkey(account=account, ident=passkey, site=site_here(request))
    except Refused as refused:
        return _page(request, problem=refused.sentence, status=409)
    end_other_sessions(account, keep=request.visitor.key_hash)
    return redirect("passkeys")


def _begin_sign_up(request: HttpRequest, site: Site) -> Prepared:
    count_try(SIGN_UPS_OF_A_NETWORK, network_here(request))
    given = {name: request.POST.get(name, "")[:1_000] for name in ("handle", "age_band", "owner_link", "next")}
    shown, _ = check_newcomer(handle=given["handle"], age_band=given["age_band"], owner_link=given["owner_link"])
    account = ids.unordered()
    offered, state = passkeys.begin_passkey(account=account, handle=shown, site=site)
    return offered, state, {"account": account.hex, **given}


def _end_sign_up(request: HttpRequest, site: Site, begun: dict[str, Any], credential: Answer) -> HttpResponse:
    content = passkeys.read_passkey(answer=credential, state=begun["state"], site=site, name="")
    account = sign_up_with_passkey(
        ident=uuid.UUID(begun["account"]),
        handle=begun["handle"],
        age_band=begun["age_band"],
        owner_link=begun["owner_link"],
        passkey=content,
    )
    sheet = show_sheet(request, account, begun["next"] or "/", announce=False)
    response = _go_on(sheet.headers["Location"])
    response.cookies = sheet.cookies
    begin_session_here(request, response, account)
    return response


def _begin_log_in(request: HttpRequest, site: Site) -> Prepared:
    count_try(PASSKEYS_OF_A_NETWORK, network_here(request))
    offered, state = passkeys.begin_recognition(site=site)
    return offered, state, {"next": request.POST.get("next", "")[:1_000]}


def _end_log_in(request: HttpRequest, site: Site, begun: dict[str, Any], credential: Answer) -> HttpResponse:
    account = passkeys.recognise(answer=credential, state=begun["state"], site=site)
    if account is None:
        raise Refused("", UNKNOWN)
    response = _go_on(safe_next(begun["next"]))
    begin_session_here(request, response, account)
    return response


def _begin_adding(request: HttpRequest, site: Site) -> Prepared:
    account = _proven_account(request)
    handle = account.open("handle", Purpose.SIGN_IN)
    offered, state = passkeys.begin_passkey(account=account.pk, handle=handle, site=site)
    return offered, state, {"account": account.pk.hex, "name": request.POST.get("name", "")[:200]}


def _end_adding(request: HttpRequest, site: Site, begun: dict[str, Any], credential: Answer) -> HttpResponse:
    account = _proven_account(request)
    if account.pk.hex != begun["account"]:
        raise Refused("", NOT_YOURS)
    content = passkeys.read_passkey(answer=credential, state=begun["state"], site=site, name=begun["name"])
    passkeys.add_passkey(account=account, content=content)
    return _go_on(reverse("passkeys"))


def _begin_proof(request: HttpRequest, site: Site) -> Prepared:
    count_try(PASSKEYS_OF_A_NETWORK, network_here(request))
    account = _visiting_account(request)
    offered, state = passkeys.begin_recognition(site=site, account=account.pk)
    return offered, state, {"account": account.pk.hex, "next": request.POST.get("next", "")[:1_000]}


def _end_proof(request: HttpRequest, site: Site, begun: dict[str, Any], credential: Answer) -> HttpResponse:
    account = _visiting_account(request)
    shown = passkeys.recognise(answer=credential, state=begun["state"], site=site, asked=account.pk)
    if shown is None or account.pk.hex != begun["account"]:
        raise Refused("", UNKNOWN)
    prove(request)
    return _go_on(safe_next(begun["next"]))


def _visiting_account(request: HttpRequest) -> User:
    visitor = visitor_of(request)
    if visitor is None:
        raise Refused("", NOT_YOURS)
    return User.objects.get(pk=visitor.account_id)


def _proven_account(request: HttpRequest) -> User:
    account = _visiting_account(request)
    if not account.is_active or not is_proven(request):
        raise Refused("", NOT_YOURS)
    return account


def _go_on(address: str) -> HttpResponse:
    return JsonResponse({"next": address})


def _say(refusal: Refused | TooManyTries) -> HttpResponse:
    if isinstance(refusal, TooManyTries):
        headers = {"Retry-After": str(refusal.retry_after)}
        return JsonResponse({"say": refusal.sentence, "field": ""}, status=429, headers=headers)
    return JsonResponse({"say": refusal.sentence, "field": refusal.field}, status=422)


def _page(request: SignedInRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = {
        "passkeys": passkeys.list_passkeys(request.visitor.account_id),
        "site": site_here(request),
        "problem": problem,
    }
    return render(request, "accounts/passkeys.html", context, status=status)


_BEGINNINGS: dict[str, Callable[[HttpRequest, Site], Prepared]] = {
    "sign_up": _begin_sign_up,
    "log_in": _begin_log_in,
    "add": _begin_adding,
    "proof": _begin_proof,
}
_ENDINGS: dict[str, Callable[[HttpRequest, Site, dict[str, Any], Answer], HttpResponse]] = {
    "sign_up": _end_sign_up,
    "log_in": _end_log_in,
    "add": _end_adding,
    "proof": _end_proof,
}
