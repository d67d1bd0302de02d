"""Log in, log out, end sessions elsewhere."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from mindstage.accounts.access import SignedInRequest, require_visitor, safe_next, visitor_of
from mindstage.accounts.cookies import take_cookie_back
from mindstage.accounts.forms import SignInForm
from mindstage.accounts.models import User
from mindstage.accounts.rate_limits import TooManyTries
from mindstage.accounts.sessions import end_all, end_named_session, end_other_sessions, end_session
from mindstage.accounts.sign_in import sign_in
from mindstage.accounts.views.answers import admit, localhost_instead, network_here, site_here, too_many_tries
from mindstage.ui.views import not_found
from mindstage.vault.keys import forget_everywhere

WRONG = "This handle and this passphrase do not belong together. Nothing was changed; please look at both again."


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Log in, and go on to where the person wanted to go."""
    if request.method != "POST":
        return _form(request, SignInForm(initial={"next": request.GET.get("next", "")}))
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _form(request, form, status=422)
    given = form.cleaned_data
    try:
        account = sign_in(handle=given["handle"], passphrase=given["passphrase"], network=network_here(request))
    except TooManyTries as refusal:
        return too_many_tries(form, refusal, lambda status: _form(request, form, status=status))
    if account is None:
        form.add_error(None, WRONG)
        return _form(request, form, status=422)
    return admit(request, account, given["next"])


@require_POST
def destroy(request: HttpRequest) -> HttpResponse:
    """Log out, here or everywhere: the rows are gone, the keys leave every process, the browser drops what it kept."""
    if visitor := visitor_of(request):
        if "everywhere" in request.POST:
            end_all(User(id=visitor.account_id))
        end_session(visitor.key_hash)
        forget_everywhere()
    response = HttpResponseRedirect("/")
    take_cookie_back(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@require_visitor
@require_POST
def destroy_one(request: SignedInRequest, session: uuid.UUID) -> HttpResponse:
    """End one of one's own sessions."""
    ended = end_named_session(User(id=request.visitor.account_id), session)
    return _back(request) if ended else not_found(request)


@require_visitor
@require_POST
def destroy_others(request: SignedInRequest) -> HttpResponse:
    """End all of one's sessions but this."""
    end_other_sessions(User(id=request.visitor.account_id), keep=request.visitor.key_hash)
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the list that the button stood in: the account page's, or that of *Your data*."""
    return redirect(safe_next(request.POST.get("next") or reverse("account")))


def _form(request: HttpRequest, form: SignInForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "next": form["next"].value() or "",
        "passkeys": site_here(request) is not None,
        "localhost": localhost_instead(request),
    }
    return render(request, "accounts/sign_in.html", context, status=status)
