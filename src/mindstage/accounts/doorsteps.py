"""Between two steps of a door: what the server must remember of somebody who is not signed in yet, for ten minutes.

The cookie is a random key of its own; the row holds its hash and a payload that only the cookie opens, as with
sessions. A doorstep opens no page: whoever holds one may only take the step that it is for. What somebody who is
signed in had typed before they were asked to prove who they are lies on one of their session's cookie.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Q

from mindstage.accounts.models import Doorstep
from mindstage.accounts.sessions import make_cookie, session_key_hash
from mindstage.kit import clock
from mindstage.vault.fields import allow
from mindstage.vault.keys import instance_key
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable, open_sealed, seal, tag

LASTS = timedelta(minutes=10)


class Step(StrEnum):
    """What a doorstep is for."""

    SECOND_FACTOR = "second factor"
    TOTP = "totp"
    SHEET = "sheet"
    PASSKEY = "passkey"
    EMAIL = "email"
    RECOVERY = "recovery"
    EXPORT = "export"


def make_doorstep(step: Step, **content: Any) -> str:
    """Remember something for the next step; the cookie's value. `content` must be JSON."""
    cookie = make_cookie()
    _made(cookie, step, content).save(force_insert=True)
    return cookie


def keep_for_session(session: str, step: Step, **content: Any) -> None:
    """Remember something for a session, by its cookie, in the place of what was remembered for that step before."""
    row = _made(of_session(session, step), step, content)
    Doorstep.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["key_hash"], update_fields=["born", "payload"]
    )


def of_session(session: str, step: Step) -> str:
    """What stands for the cookie of a doorstep that was made for a session."""
    return f"{session}|{step}" if session else ""


def _made(cookie: str, step: Step, content: dict[str, Any]) -> Doorstep:
    row = Doorstep(key_hash=session_key_hash(cookie), born=clock.now())
    text = json.dumps({"step": step, **content}).encode()
    row.payload = seal(_key(cookie), text, _bound_to(bytes(row.key_hash), row.born))
    return row


def look_at_doorstep(cookie: str, step: Step) -> dict[str, Any] | None:
    """What was remembered, or None: nothing, too old, or for another step."""
    row = Doorstep.objects.filter(pk=session_key_hash(cookie)).first() if cookie else None
    if row is None or not clock.lasts(row.born, LASTS):
        return None
    allow("doorstep", Purpose.SIGN_IN)
    try:
        text = open_sealed(_key(cookie), row.payload, _bound_to(bytes(row.key_hash), row.born))
    except Unreadable:
        return None
    content: dict[str, Any] = json.loads(text)
    return content if content["step"] == step else None


def take_doorstep(cookie: str, step: Step) -> dict[str, Any] | None:
    """The same, and it is used up: of two at once only one gets it."""
    content = look_at_doorstep(cookie, step)
    return content if content is not None and end_doorstep(cookie) else None


def end_doorstep(cookie: str) -> bool:
    """Forget it; False when it was gone."""
    return Doorstep.objects.filter(pk=session_key_hash(cookie)).delete()[0] == 1


def purge_old_doorsteps() -> int:
    """Delete every doorstep past its time; how many there were. A clock runs it."""
    now = clock.now()
    return Doorstep.objects.filter(Q(born__lte=now - LASTS) | Q(born__gt=now + clock.AHEAD)).delete()[0]


def _key(cookie: str) -> bytes:
    return tag(instance_key("session"), b"door|" + cookie.encode("utf-8", "surrogatepass"))


def _bound_to(key_hash: bytes, born: datetime) -> bytes:
    return b"door|" + key_hash + born.isoformat().encode()
