"""Take everything with you, and bring it in: the page of exports, its live part, and an upload."""

from __future__ import annotations

import io
import threading
import uuid
from typing import Any

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mindstage.accounts.access import SignedInRequest, require_account, require_visitor
from mindstage.accounts.doorsteps import Step
from mindstage.accounts.step_up import forget_typed, is_proven, keep_typed, lead_to_proof, what_was_typed
from mindstage.datamap.porting import NotUnderstood
from mindstage.ledger import signing
from mindstage.rights.export import (
    KEPT,
    ExportRefused,
    check_recipient,
    discard_export,
    list_exports,
    next_export,
    request_export,
)
from mindstage.rights.importing import bring_archive
from mindstage.vault.keys import KeyGone, instance_key

NO_FILE = "No file came. Choose the archive that you took out of the other Mindstage."
CUT_OFF = (
    "This archive is larger than 20 MB. Nothing was brought in. Whoever runs this Mindstage can bring in one of any "
    "size: mindstage import-data FILE --user HANDLE."
)
NOT_WRITTEN = (
    "The archive is in order, but the database is busy or its disk is full. Nothing was brought in; "
    "try again in a moment."
)
BUSY = "Two archives are being brought in just now. Nothing was brought in of this one; try again in a minute."
TURNS = threading.BoundedSemaphore(2)
"""An archive takes a page's thread for seconds, and there are six: the others stay free for everybody's pages."""
ENDED = "This account is no longer active. Nothing was brought in."


@require_account
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: SignedInRequest) -> HttpResponse:
    """GET: the exports of the last day. POST: begin one (`recipient`: a public age key, or nothing)."""
    return _create(request) if request.method == "POST" else _page(request)


def _create(request: SignedInRequest) -> HttpResponse:
    typed = request.POST.get("recipient", "")
    try:
        recipient = check_recipient(typed)
        if not is_proven(request):
            if recipient:
                keep_typed(request, Step.EXPORT, recipient=recipient)
            return lead_to_proof(request)
        request_export(owner=request.visitor.account_id, recipient=recipient)
    except ExportRefused as refused:
        return _page(request, problem=refused.sentence, recipient=typed, status=409)
    forget_typed(request, Step.EXPORT)
    return HttpResponseRedirect(reverse("exports"))


@require_POST
@require_account
def end(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """Throw an export away before its day is over."""
    if not discard_export(owner=request.visitor.account_id, ident=ident):
        raise Http404
    return HttpResponseRedirect(reverse("exports"))


@require_POST
@require_visitor
def bring(request: SignedInRequest) -> HttpResponse:
    """Bring in an archive that was uploaded (`archive`), 20 MB at most; the report is the page."""
    file = request.FILES.get("archive")
    if getattr(request, "upload_cut_off", False):  # library.uploads drops what is too large while it arrives
        return _page(request, problem=CUT_OFF, status=413)
    if file is None:
        return _page(request, problem=NO_FILE, status=400)
    if not TURNS.acquire(blocking=False):
        return _page(request, problem=BUSY, status=503)
    try:
        brought = bring_archive(owner=request.visitor.account_id, file=io.BytesIO(file.read()))
    except NotUnderstood as refused:
        return _page(request, problem=refused.sentence, status=422)
    except KeyGone:
        return _page(request, problem=ENDED, status=409)
    except DatabaseError:
        return _page(request, problem=NOT_WRITTEN, status=503)
    finally:
        TURNS.release()
    return _page(request, report=brought.sentences)


def _page(request: SignedInRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    exports = list_exports(request.visitor.account_id)
    for export in exports:
        export.ends_at = None if export.ready_at is None else export.ready_at + KEPT  # type: ignore[attr-defined]
    working = any(export.state in ("waiting", "writing") for export in exports)
    template = "rights/_exports.html" if request.headers.get("X-Partial") == "1" else "rights/exports.html"
    return render(
        request,
        template,
        {
            "exports": exports,
            "working": working,
            "frozen": request.visitor.frozen,
            "next_at": next_export(request.visitor.account_id),
            **what_was_typed(request, Step.EXPORT),
            **more,
        },
        status=status,
    )


@require_safe
def signing_key(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """The one public key that checks what this instance signs: exports, receipts, reports of a restore."""
    key = signing.public_key(instance_key("receipt"))
    body = {"algorithm": signing.ALGORITHM, "key": signing.to_text(key), "fingerprint": signing.fingerprint(key)}
    return JsonResponse(body)
