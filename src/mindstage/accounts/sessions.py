"""Sessions: 30 days at most, 7 without use. The cookie is a random key; the row holds its hash.

The key of the payload is derived from the instance's session key *and* the cookie, so that neither the database nor the
instance's keys nor both open it. The payload is bound to hash, account and birth, so that a row can be neither
lengthened nor moved to another account, and it holds a check of the passphrase: a changed passphrase ends it by itself.

A request costs one query. Where a room needs more in that one query, it joins `TABLES`, selects
`COLUMNS` first, and hands the row to `visitor_from_row`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from mindstage.accounts.models import Session, User
from mindstage.datamap.retention import kept_for
from mindstage.kit import clock
from mindstage.vault import raw
from mindstage.vault.fields import allow
from mindstage.vault.keys import instance_key, text_key
from mindstage.vault.purposes import Purpose
from mindstage.vault.raw import as_bytes, as_moment, as_uuid
from mindstage.vault.sealing import Sealed, Unreadable, open_sealed, place, seal, tag

ABSOLUTE = timedelta(days=30)
IDLE = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=10)

COLUMNS = "s.key_hash, s.account_id, s.payload, s.born, s.seen, u.password, u.state, u.owner, u.handle"
TABLES = "accounts_session s JOIN accounts_user u ON u.id = s.account_id"
MAY_SIGN_IN = (User.State.ACTIVE, User.State.FROZEN)
WIDTH = 9
"""How many columns `COLUMNS` are."""
_NEW = "(SELECT COUNT(*) FROM accounts_notice n WHERE n.account_id = s.account_id AND n.seen = FALSE)"
_FIND = f"SELECT {COLUMNS}, {_NEW} FROM {TABLES} WHERE s.key_hash = %s"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: a signed-in account, as the session's row tells it. `sealed_handle` is not opened yet."""

    account_id: uuid.UUID
    state: str
    owner: bool
    key_hash: bytes = field(repr=False)
    born: datetime
    sealed_handle: bytes = field(repr=False)
    new_notices: int = 0
    """How many wait to be seen. Only `find_session` counts them: no hot path prints the number."""

    @property
    def frozen(self) -> bool:
        return self.state == User.State.FROZEN

    def open_handle(self) -> str:
        """The handle, for the head of their own page. Raises KeyGone."""
        return User(id=self.account_id, handle=Sealed(self.sealed_handle)).open("handle", Purpose.SIGN_IN)


@dataclass(frozen=True, slots=True)
class SignedInBrowser:
    """One line of the sessions list. `id` names it in addresses."""

    id: uuid.UUID
    device: str
    began: datetime
    seen: datetime
    current: bool


def make_cookie() -> str:
    """A new random key of 256 bits, for a cookie."""
    return secrets.token_urlsafe(32)


def begin_session(account: User, device: str) -> str:
    """Begin a session; the cookie's value. `device` is a class of `devices.py`. Raises KeyGone."""
    cookie = make_cookie()
    row = Session(key_hash=session_key_hash(cookie), account=account, born=clock.now(), seen=clock.now())
    key = _payload_key(cookie)
    row.payload = seal(key, _check_of(account.password, key), _bound_to(bytes(row.key_hash), account.id, row.born))
    row.device = seal(text_key(account.id), device.encode(), _device_place(row))
    row.save(force_insert=True)
    return cookie


def find_session(cookie: str) -> Visitor | None:
    """Who holds this cookie, or None; a frozen account too, by its `state`. One query; from any thread."""
    rows = raw.query(_FIND, [session_key_hash(cookie)])
    visitor = visitor_from_row(cookie, rows[0], states=MAY_SIGN_IN) if rows else None
    return visitor and replace(visitor, new_notices=rows[0][WIDTH])


def session_key_hash(cookie: str) -> bytes:
    """The primary key of a cookie's session: 32 bytes."""
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest()


def visitor_from_row(
    cookie: str, row: Sequence[Any], *, states: tuple[str, ...] = (User.State.ACTIVE,)
) -> Visitor | None:
    """Who a row of `COLUMNS` is, or None when it has ended or was tampered with. More columns may follow.

    `states`: of which accounts. A row past its limits is deleted here; `seen` is written at most every ten minutes.
    """
    key_hash, account, payload, born, seen, password, state, owner, handle = row[:WIDTH]
    key_hash, account, born = as_bytes(key_hash), as_uuid(account), as_moment(born)
    if _has_ended(born, as_moment(seen)):
        end_session(key_hash)
        return None
    key = _payload_key(cookie)
    allow("session", Purpose.SIGN_IN)
    try:
        check = open_sealed(key, as_bytes(payload), _bound_to(key_hash, account, born))
    except Unreadable:
        return None
    if not hmac.compare_digest(check, _check_of(password, key)) or state not in states:
        return None
    if abs(clock.now() - as_moment(seen)) >= SEEN_EVERY:
        Session.objects.filter(pk=key_hash).update(seen=clock.now())
    return Visitor(account, state, bool(owner), key_hash, born, as_bytes(handle))


def keep_proof(cookie: str) -> None:
    """Note in this session's row that its owner has just proved again who they are."""
    for row in Session.objects.filter(pk=session_key_hash(cookie)):
        proof = seal(_payload_key(cookie), clock.now().isoformat().encode(), _proof_place(row))
        Session.objects.filter(pk=row.pk).update(proof=proof)


def proof_of(cookie: str) -> datetime | None:
    """When the owner of this session last proved who they are, or None."""
    row = Session.objects.filter(pk=session_key_hash(cookie)).first()
    if row is None or row.proof is None:
        return None
    allow("session", Purpose.SIGN_IN)
    try:
        return datetime.fromisoformat(open_sealed(_payload_key(cookie), row.proof, _proof_place(row)).decode())
    except Unreadable:
        return None


def list_sessions(account: User, *, current: bytes = b"") -> list[SignedInBrowser]:
    """The living sessions of an account, the last used first. `current`: the key hash of the asking browser."""
    rows = Session.objects.filter(account=account).exclude(_ended()).order_by("-seen")
    return [
        SignedInBrowser(row.ident, _open_device(row), row.born, row.seen, bytes(row.key_hash) == current)
        for row in rows
    ]


def end_session(key_hash: bytes) -> None:
    """End one session: its row is gone at once."""
    Session.objects.filter(pk=key_hash).delete()
    _tell_ended()


def end_named_session(account: User, ident: uuid.UUID) -> bool:
    """End the session of this account that the list calls `ident`; False when the account has none of that name."""
    keys = Session.objects.filter(account=account).only("key_hash")
    found = [row.key_hash for row in keys if row.ident == ident]
    Session.objects.filter(account=account, pk__in=found).delete()
    _tell_ended()
    return bool(found)


def end_other_sessions(account: User, *, keep: bytes) -> None:
    """End all sessions of an account but the one whose key hash is `keep`, and every log-in that is half done."""
    _end(account, Session.objects.filter(account=account).exclude(pk=keep))


def end_all(account: User) -> None:
    """End all sessions of an account, and every log-in that is half done."""
    _end(account, Session.objects.filter(account=account))


def _end(account: User, sessions: QuerySet[Session]) -> None:
    with transaction.atomic():
        User.objects.filter(pk=account.pk).update(log_outs=F("log_outs") + 1)
        sessions.delete()
        _tell_ended()


def on_ended_sessions(name: str, look: Callable[[], None]) -> None:
    """Let `look()` be called, from any thread, after sessions have ended. It must not block."""
    _lookers[name] = look


_lookers: dict[str, Callable[[], None]] = {}


def _tell_ended() -> None:
    transaction.on_commit(lambda: [look() for look in list(_lookers.values())])


def living_sessions(key_hashes: Iterable[bytes]) -> set[bytes]:
    """Which of these sessions still stand."""
    wanted, found = list(key_hashes), set[bytes]()
    for at in range(0, len(wanted), 500):
        rows = Session.objects.filter(pk__in=wanted[at : at + 500]).exclude(_ended())
        found |= {bytes(key) for key in rows.values_list("pk", flat=True)}
    return found


def purge_ended_sessions() -> int:
    """Delete every session past its limits; how many there were. A clock runs it.

    What was last used while the clock was ahead was used now at the latest: its week without use begins again.
    """
    Session.objects.filter(seen__gt=clock.now() + clock.AHEAD).update(seen=clock.now())
    return Session.objects.filter(_ended()).delete()[0]


def _has_ended(born: datetime, seen: datetime) -> bool:
    return not clock.lasts(born, kept_for("session")) or clock.now() - seen >= IDLE


def _ended() -> Q:
    """The same of rows."""
    now = clock.now()
    born = Q(born__lte=now - kept_for("session")) | Q(born__gt=now + clock.AHEAD)
    return born | Q(seen__lte=now - IDLE)


def _payload_key(cookie: str) -> bytes:
    return tag(instance_key("session"), cookie.encode("utf-8", "surrogatepass"))


def _check_of(password: str, key: bytes) -> bytes:
    return tag(key, b"passphrase|" + password.encode())


def _bound_to(key_hash: bytes, account: uuid.UUID, born: datetime) -> bytes:
    return b"session|" + key_hash + account.bytes + born.isoformat().encode()


def _proof_place(row: Session) -> bytes:
    return b"proof|" + _bound_to(bytes(row.key_hash), row.account_id, row.born)


def _device_place(row: Session) -> bytes:
    return place(Session._meta.db_table, "device", row.ident, row.account_id)


def _open_device(row: Session) -> str:
    allow("session", Purpose.SHOW, keyed_to=row.account_id)
    return open_sealed(text_key(row.account_id), row.device, _device_place(row)).decode()
