"""Delete the account: asked for with the handle and a fresh proof, frozen for seven days, called off by one click."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from mindstage.accounts.access import SignedInRequest, require_account
from mindstage.accounts.cookies import take_cookie_back
from mindstage.accounts.handles import canon
from mindstage.accounts.step_up import require_step_up
from mindstage.rights.erasure import AlreadyAsked, TooLate, cancel_erasure, request_erasure, request_of
from mindstage.ui.views import problem

UNDER_13 = "under-13"
"""In the address of somebody who has just said so: the page then says why the account has to end."""
NOT_YOURS = "That is not your handle, so nothing was begun. Type it as it stands on the account page."
TOO_LATE = "It is too late to call this off: the keys are being destroyed, or are destroyed already."


@require_http_methods(["GET", "HEAD", "POST"])
@require_account
@require_step_up
def index(request: SignedInRequest) -> HttpResponse:
    """GET: what will happen, and the last question. POST: begin it, and show the claim code, once.

    Open to whoever has frozen their account: nobody must thaw it first, to be processed once more before the end.
    """
    if request_of(request.visitor.account_id) is not None:
        return HttpResponseRedirect(reverse("your_data"))
    context = {"under_13": UNDER_13 in request.GET}
    if request.method != "POST":
        return render(request, "rights/erasure_new.html", context)
    if canon(request.POST.get("handle", "")) != canon(request.visitor.open_handle()):
        return render(request, "rights/erasure_new.html", context | {"problem": NOT_YOURS}, status=422)
    try:
        asked = request_erasure(request.visitor.account_id)
    except AlreadyAsked:
        return HttpResponseRedirect(reverse("your_data"))
    request.visitor = None  # type: ignore[assignment]  # its session has ended, and the page shows it
    response = render(request, "rights/erasure_asked.html", {"asked": asked})
    take_cookie_back(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@require_POST
@require_account
def cancel(request: SignedInRequest) -> HttpResponse:
    """Keep the account."""
    row = request_of(request.visitor.account_id)
    if row is None:
        return HttpResponseRedirect(reverse("your_data"))
    try:
        cancel_erasure(row)
    except TooLate:
        return problem(request, status=409, title="This cannot be called off", sentence=TOO_LATE)
    return HttpResponseRedirect(f"{reverse('your_data')}?kept")
