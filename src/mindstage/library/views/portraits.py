"""The portrait of one's own character."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.library.characters import find_character
from mindstage.library.portraits import CONTENT_TYPE
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose


@require_visitor
@require_safe
def show(request: SignedInRequest, ident: uuid.UUID) -> HttpResponse:
    """The picture, for its owner; for all others there is none."""
    character = find_character(request.visitor.account_id, ident)
    if character is None or character.portrait is None:
        raise Http404
    try:
        picture = character.open_bytes("portrait", Purpose.SHOW)
    except KeyGone:
        raise Http404 from None
    response = HttpResponse(picture, content_type=CONTENT_TYPE)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Content-Disposition"] = "inline"
    return response
