"""End things for good: the ledger first, then its pin, then the keys, then the rows. docs/subsystems/erasure.md

Erasing and replaying are one code. `record` appends to the ledger and pins its head; `apply_to_keystore` and
`apply_to_database` bring the two databases up to it. A live erasure calls them in turn; the start-up check calls them
after a crash or a restore, and whatever was done already is passed over.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction

from mindstage.datamap.holdings import Cleared, holdings
from mindstage.ledger import book
from mindstage.ledger.book import Chain, Head, Kind
from mindstage.vault.epoch_file import write_epoch_file
from mindstage.vault.keyring import epoch_keys
from mindstage.vault.keys import forget_keys
from mindstage.vault.locking import vault_lock
from mindstage.vault.marks import database_mark, keystore_commit, keystore_state, mark_database
from mindstage.vault.models import ItemKey, Keystore, ReservedHandle, UserKey
from mindstage.vault.tags import ledger_tag

RESERVED = timedelta(days=30)

HandleOf = Callable[[uuid.UUID], bytes | None]


@dataclass(frozen=True, slots=True)
class Hints:
    """Whom the newest entries mean, so that a live erasure need not search: tag -> identifier."""

    subjects: Mapping[str, uuid.UUID]

    @classmethod
    def of(cls, *subjects: uuid.UUID) -> Hints:
        return cls({ledger_tag(subject): subject for subject in subjects})


def record(kind: Kind, *subjects: uuid.UUID) -> Chain:
    """Append entries and pin the new head beside the root key: two durable writes. Raises LedgerBroken, OSError."""
    configuration = settings.MINDSTAGE
    with vault_lock():
        day = keystore_state().slow_date
        tags = [ledger_tag(subject) for subject in subjects]
        chain = book.append(configuration.ledger_dir, kind=kind, tags=tags, day=day)
        pin_ledger(chain.head)
    return chain


def pin_ledger(head: Head) -> None:
    """Write the ledger's head into the epoch file."""
    folder = settings.MINDSTAGE.keys_dir
    write_epoch_file(folder, replace(epoch_keys(folder), pin=(head.length, head.hash)))


def apply_to_keystore(chain: Chain, *, handle_of: HandleOf, hints: Hints | None = None) -> int | None:
    """Destroy the keys that the ledger's tail names, in one commit; the epoch in which they died, or None.

    `handle_of` gives the handle's tag of an account whose row still stands, so that it can be reserved.
    """
    with vault_lock(), keystore_commit() as state:
        tail = chain.tail(state.ledger_length)
        if not tail:
            return None
        known = dict(hints.subjects) if hints else {}
        if any(entry.tag not in known for entry in tail):
            known |= _search_keys()
        died = False
        for entry in tail:
            subject = known.get(entry.tag)
            if subject is not None and entry.kind in (Kind.PERSON, Kind.ITEM):
                until = entry.day + RESERVED
                died = (
                    _destroy(subject, tag=handle_of(subject) if entry.kind is Kind.PERSON else None, until=until)
                    or died
                )
        _note_applied(state, chain, died=died or any(entry.kind in (Kind.PERSON, Kind.ITEM) for entry in tail))
        epoch = state.epoch
    forget_keys()
    return epoch


def apply_to_database(chain: Chain, *, hints: Hints | None = None) -> list[Cleared]:
    """Clear the rows that the ledger's tail names, room by room; then note how far the database has come."""
    length = database_mark().ledger_length
    tail = chain.tail(length)
    if not tail:
        return []
    known = dict(hints.subjects) if hints else {}
    if any(entry.tag not in known for entry in tail):
        known |= _search_rows()
    cleared: list[Cleared] = []
    for entry in tail:
        if (subject := known.get(entry.tag)) is not None:
            cleared += _clear(entry.kind, subject)
    with transaction.atomic():
        mark_database(ledger_length=len(chain.entries))
    return cleared


def _clear(kind: Kind, subject: uuid.UUID) -> list[Cleared]:
    cleared: list[Cleared] = []
    for holding in holdings():
        match kind:
            case Kind.PERSON:
                cleared += holding.erase(subject)
            case Kind.ITEM | Kind.TURN:
                cleared += holding.erase_item(subject)
            case Kind.KEEP:
                holding.keep(subject)
            case _:
                continue
    return cleared


def _destroy(subject: uuid.UUID, *, tag: bytes | None, until: date) -> bool:
    """Delete the keys of a person, or of an item; True when there were any."""
    keys = ItemKey.objects.using("keystore")
    found = keys.filter(owner=subject).delete()[0] + keys.filter(pk=subject).delete()[0]
    found += UserKey.objects.using("keystore").filter(pk=subject).delete()[0]
    if tag is not None:
        ReservedHandle.objects.using("keystore").update_or_create(tag=tag, defaults={"until": until})
    return bool(found)


def _note_applied(state: Keystore, chain: Chain, *, died: bool) -> None:
    state.ledger_length, state.ledger_hash = chain.head.length, chain.head.hash
    if died:
        state.dirty = True
        state.forgotten += 1


def _search_keys() -> dict[str, uuid.UUID]:
    """Every key's subject by its tag: only when a replay meets entries that it has no hint for."""
    idents: list[uuid.UUID] = [*UserKey.objects.using("keystore").values_list("pk", flat=True)]
    idents += ItemKey.objects.using("keystore").values_list("pk", flat=True)
    return {ledger_tag(ident): ident for ident in idents}


def _search_rows() -> dict[str, uuid.UUID]:
    return {ledger_tag(ident): ident for holding in holdings() for ident in holding.subjects()}


def is_reserved(tag: bytes) -> bool:
    """Whether a handle's tag may not be taken yet."""
    reserved = ReservedHandle.objects.using("keystore").filter(tag=tag)
    return reserved.filter(until__gt=keystore_state().slow_date).exists()


def ended_subjects(chain: Chain, kinds: Iterable[Kind]) -> frozenset[str]:
    """The tags that the ledger has ended, by kind."""
    wanted = set(kinds)
    return frozenset(entry.tag for entry in chain.entries if entry.kind in wanted)
