"""For somebody without an account: what became of an erasure, its receipt, and whether a receipt is genuine."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from mindstage.ledger.envelopes import claim_nonce, plain_code
from mindstage.ledger.receipts import check_receipt
from mindstage.ledger.signed import NotGenuine
from mindstage.rights.erasure import TooLate, cancel_erasure, find_request
from mindstage.rights.offline import policy, write_page
from mindstage.rights.receipts import NoReceipt, fetch_receipt, has_receipt, receipt_key
from mindstage.rights.requests import ErasureRequest
from mindstage.rights.views.erasures import TOO_LATE

NO_SUCH = "No erasure belongs to this code, or its receipt was made more than 30 days ago. Look at the code again."
RECEIPT_BYTES = 1024 * 1024


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """GET: the form for a claim code. POST: how far it is; `act=cancel` calls it off, `act=fetch` takes the receipt.

    Tries are not counted: a code is 25 signs of 32, 125 random bits, and to look for one costs less than this page.
    """
    if request.method != "POST":
        return _form(request)
    code = request.POST.get("code", "")
    row = find_request(code)
    if row is None and not has_receipt(code):
        return _form(request, problem=NO_SUCH, typed=code, status=422)
    match request.POST.get("act"):
        case "cancel":
            return _cancel(request, row)
        case "fetch":
            return _fetch(request, row, code)
        case _:
            return _state(request, row, code)


@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Whether a receipt is genuine: of this instance, or of the one whose key is given."""
    context: dict[str, object] = {"key": request.POST.get("key", "").strip() or receipt_key()}
    status = 200
    if request.method == "POST":
        file = request.FILES.get("receipt")
        content = file.read(RECEIPT_BYTES) if file else request.POST.get("text", "").encode()
        try:
            context["receipt"] = check_receipt(content, key=str(context["key"]))
        except NotGenuine as broken:
            context["problem"], status = str(broken), 422
    return render(request, "rights/receipt_check.html", context, status=status)


@require_safe
def offline(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """The same check as one file that needs nobody: to be used here, or kept beside the receipt."""
    response = HttpResponse(write_page(key=receipt_key()))
    response.headers["Content-Security-Policy"] = f"{policy()}; frame-ancestors 'none'"
    return response


def _cancel(request: HttpRequest, row: ErasureRequest | None) -> HttpResponse:
    try:
        if row is None:  # a restored backup is older than the request; its end stands in the ledger
            raise TooLate
        cancel_erasure(row)
    except TooLate:
        return _form(request, problem=TOO_LATE, status=409)
    return _form(request, done="Your account is as it was before. Nothing was lost; you can log in again.")


def _fetch(request: HttpRequest, row: ErasureRequest | None, code: str) -> HttpResponse:
    try:
        content = fetch_receipt(code)
    except NoReceipt:
        return _state(request, row, code, status=409)
    response = HttpResponse(content, content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="mindstage-receipt.json"'
    return response


def _state(request: HttpRequest, row: ErasureRequest | None, code: str, *, status: int = 200) -> HttpResponse:
    reached = row.state if row is not None else "done"
    state = {"frozen": "frozen", "done": "done", "waiting": "waiting"}.get(reached, "destroying")
    context = {
        "erasure": row,
        "state": state,
        "receipt": has_receipt(code),
        "code": plain_code(code),
        "nonce": claim_nonce(code).hex(),
    }
    return render(request, "rights/receipt.html", context, status=status)


def _form(
    request: HttpRequest, *, problem: str = "", typed: str = "", done: str = "", status: int = 200
) -> HttpResponse:
    """The form, with a code that was not right as it was typed: only whoever sees it can find the letter."""
    context = {"problem": problem, "typed": typed[:60], "done": done}
    return render(request, "rights/receipt.html", context, status=status)
