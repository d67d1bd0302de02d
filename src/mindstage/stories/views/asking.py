"""What the views of this room share: fetch with permission, refuse in words, answer with partials."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from mindstage.accounts.access import SignedInRequest, require_visitor
from mindstage.stories.models import Story, Turn
from mindstage.stories.refusals import CannotStore, KeyLost, NotYours, Refused, TextDamaged
from mindstage.ui.views import problem, what_was_sent
from mindstage.vault.keys import KeyGone
from mindstage.vault.sealing import Unreadable

log = logging.getLogger(__name__)

type View[**P] = Callable[Concatenate[SignedInRequest, P], HttpResponse]


def own_story(request: SignedInRequest, ident: uuid.UUID) -> Story:
    """A story of the visitor's own. Raises Http404 for all others."""
    story = Story.objects.filter(pk=ident, owner=request.visitor.account_id, trashed_on=None).first()
    if story is None:
        raise Http404
    return story


def own_turn(request: SignedInRequest, story: uuid.UUID, turn: uuid.UUID) -> Turn:
    """A turn of a story of the visitor's own. Raises Http404 for all others."""
    own = Turn.objects.select_related("story").filter(story__owner=request.visitor.account_id, story__trashed_on=None)
    if (row := own.filter(pk=turn, story=story).first()) is None:
        raise Http404
    return row


def for_players[**P](view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """For people who are signed in; a refusal becomes a sentence, for scripts as JSON and for forms as a page."""

    @require_visitor
    @wraps(view)
    def answered(request: SignedInRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            return refuse(request, refusal)
        except KeyGone:
            return refuse(request, KeyLost())
        except ObjectDoesNotExist:  # it ended for good between two looks
            return refuse(request, NotYours())
        except Unreadable:
            log.exception("a sealed text does not open")
            return refuse(request, TextDamaged())
        except OperationalError:  # disk full, or locked for longer than anybody waits; the log tells where
            log.exception("a page could not be stored or read")
            return refuse(request, CannotStore())

    return answered


def refuse(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """Say what was not done, and give back the text that came with it."""
    if wants_partial(request):
        return JsonResponse({"say": refusal.sentence}, status=refusal.status)
    return problem(
        request,
        status=refusal.status,
        title="That was not done",
        sentence=refusal.sentence,
        **what_was_sent(request),
    )


def wants_partial(request: HttpRequest) -> bool:
    """Whether our own script asks, and will place what comes back."""
    return request.headers.get("X-Partial") == "1"
