"""Your data: what is held, how long, who got it, who opened it; the way out; and what a frozen account sees."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from mindstage.accounts.access import SignedInRequest, require_account, require_visitor
from mindstage.accounts.access_counts import NARRATOR, AccessCount, list_openings, was_opened_by
from mindstage.accounts.cookies import take_cookie_back
from mindstage.accounts.freezing import NotActive, freeze_account
from mindstage.accounts.models import User
from mindstage.accounts.notices import count_notices, notify
from mindstage.accounts.sessions import list_sessions
from mindstage.accounts.step_up import require_step_up
from mindstage.datamap.content import in_words as purpose_in_words
from mindstage.datamap.retention import kept_for
from mindstage.gateway.sendings import list_sent
from mindstage.kit.acting import OPERATOR, PROGRAM, YOU
from mindstage.rights.consents import switches_of
from mindstage.rights.decisions import list_decisions
from mindstage.rights.erasure import end_own_freeze, request_of
from mindstage.rights.inventory import list_kinds, share_out
from mindstage.rights.middleware import sends_signal
from mindstage.rights.trash import count_trash
from mindstage.ui.views import problem

PURPOSES = {
    "sign_in": "To know you again",
    "show": "To show you what is yours",
    "narrate": "To write a reply that you asked for",
    "import": "To begin a story with your character",
    "export": "To take it out, as you asked",
    "notify": "To write to the address that you gave",
}
ACTORS = {
    YOU: "You",
    NARRATOR: "The narrator of your story",
    PROGRAM: "This program by itself, for you",
    OPERATOR: "Whoever runs this copy, by a command on the machine",
}
LANES = (
    ("Sessions", "", "session", ", less if you log out"),
    ("Things in the trash", "", "trash", ", undo until then"),
    ("Drafts", "", "draft", " after the last change"),
    ("Backups", "", "backups", ", never past 90"),
    ("Who opened what", "to-1y", "", "1 year"),
    ("Stories, characters, account", "to-open", "", "until you say so"),
)
"""Title, how far the bar goes, what it is called in [retention] (its bar goes as far as it is kept here), words."""


@require_account
@require_safe
def show(request: SignedInRequest) -> HttpResponse:
    """The page; for a frozen account, that it is frozen and the ways on."""
    if request.visitor.frozen:
        return render(request, "rights/frozen.html", {"erasure": request_of(request.visitor.account_id)})
    return render(request, "rights/your_data.html", _page(request))


@require_POST
@require_visitor
@require_step_up
def freeze(request: SignedInRequest) -> HttpResponse:
    """Freeze one's own account without ending it: nothing is processed until it is thawed."""
    account = User.objects.get(pk=request.visitor.account_id)
    text = "Your account was frozen. Log in to call it off."
    try:
        freeze_account(account.pk, also=lambda: notify(account=account, text=text))
    except NotActive:
        return HttpResponseRedirect(reverse("your_data"))
    request.visitor = None  # type: ignore[assignment]  # its session has ended, and the page shows it
    response = problem(
        request,
        status=200,
        title="Your account is frozen",
        sentence="Every session has ended and nothing of yours is shown, sent or written until you thaw it.",
        next_step="Log in whenever you like; the first page offers to thaw it.",
    )
    take_cookie_back(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@require_POST
@require_account
def thaw(request: SignedInRequest) -> HttpResponse:
    """Call off a freeze that ends nothing. One that ends the account is called off in erasures.cancel."""
    person = request.visitor.account_id
    if end_own_freeze(person):
        notify(account=User.objects.get(pk=person), text="Your account is no longer frozen.")
        return HttpResponseRedirect(f"{reverse('your_data')}?thawed")
    return HttpResponseRedirect(reverse("your_data"))


def _page(request: SignedInRequest) -> dict[str, Any]:
    person = request.visitor.account_id
    kinds = list_kinds(person)
    account, openings = User.objects.get(pk=person), list_openings(person, page=request.GET.get("opened"))
    return {
        "kinds": [kind for kind in kinds if kind.rows],
        "empty_kinds": [kind for kind in kinds if not kind.rows],
        "size": sum(kind.size for kind in kinds),
        "shares": share_out(kinds),
        "lanes": [(title, length or _length(name), name, words) for title, length, name, words in LANES],
        "switches": switches_of(person),
        "signal": sends_signal(request),
        "sessions": list_sessions(account, current=request.visitor.key_hash),
        "openings": [_opened(one) for one in openings],
        "opened_page": openings,
        "opened_by_others": was_opened_by(person, OPERATOR),
        "recipients": list_sent(person),
        "narrators_elsewhere": any(one.kind != "embedded" for one in settings.MINDSTAGE.providers),
        "decisions": list_decisions(person),
        "trash": count_trash(person),
        "told": count_notices(person),
        "notice": NOTICES.get(next(iter(request.GET), ""), ""),
    }


NOTICES = {
    "kept": "Your account is as it was. Nothing was lost.",
    "thawed": "Your account is no longer frozen. Everything is where it was.",
}


def _length(name: str) -> str:
    """The classes of a bar, by the days that this copy keeps something: held.css has one for each."""
    return f"to-days to-{kept_for(name).days}d"


def _opened(one: AccessCount) -> dict[str, Any]:
    return {
        "day": one.day,
        "who": ACTORS.get(one.actor, one.actor),
        "why": PURPOSES.get(one.purpose, purpose_in_words(one.purpose)),
        "count": one.count,
    }
