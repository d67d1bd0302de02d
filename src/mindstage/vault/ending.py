"""End things for good: the ledger first, then its pin, then the keys, then the rows. docs/subsystems/erasure.md

Erasing and replaying are one code. `record` appends to the ledger and pins its head; `apply_to_keystore` and
`apply_to_database` bring the two databases up to it. A live erasure calls them in turn; the start-up check calls them
after a crash or a restore, and whatever was done already is passed over.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
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

_under_way: dict[str, uuid.UUID] = {}
"""Whom the entries mean that this process has recorded and not yet applied: the ends of two people may overlap, and
whoever comes first finds the other's entry in the tail as well."""

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
        _under_way.update((ledger_tag(subject), subject) for subject in subjects)
        tags = [ledger_tag(subject) for subject in subjects]
        chain = book.append(configuration.ledger_dir, kind=kind, tags=tags, day=day)
        pin_ledger(chain.head)
    return chain


def pin_ledger(head: Head) -> None:
    """Write the ledger's head into the epoch file, unless it stands there already."""
    folder = settings.MINDSTAGE.keys_dir
    with vault_lock():
        epochs = epoch_keys(folder)
        if epochs.pin != (head.length, head.hash):
            write_epoch_file(folder, replace(epochs, pin=(head.length, head.hash)))


def apply_to_keystore(chain: Chain, *, handle_of: HandleOf, hints: Hints | None = None) -> int | None:
    """Destroy the keys that the ledger's tail names, in one commit; the epoch in which they died, or None.

    `handle_of` gives the handle's tag of an account whose row still stands, so that it can be reserved.
    """
    with vault_lock():
        tail = chain.tail(keystore_state().ledger_length)
        if not tail:
            return None
        ends = [entry for entry in tail if entry.kind in (Kind.PERSON, Kind.ITEM)]
        known = _known_subjects({entry.tag for entry in ends}, hints, _search_keys, _search_rows)
        with keystore_commit() as state:
            for entry in ends:
                if (subject := known.get(entry.tag)) is not None:
                    handle = handle_of(subject) if entry.kind is Kind.PERSON else None
                    _destroy(subject, tag=handle, until=entry.day + RESERVED)
            _note_applied(state, chain, died=bool(ends))
            epoch = state.epoch
    forget_keys()
    return epoch


def apply_to_database(chain: Chain, *, hints: Hints | None = None) -> list[Cleared]:
    """Clear the rows that the ledger's tail names, room by room; then note how far the database has come."""
    length = database_mark().ledger_length
    tail = chain.tail(length)
    if not tail:
        return []
    known = _known_subjects({entry.tag for entry in tail}, hints, _search_rows)
    cleared: list[Cleared] = []
    for entry in tail:
        if (subject := known.get(entry.tag)) is not None:
            cleared += _clear(entry.kind, subject)
    with transaction.atomic():
        mark_database(ledger_length=chain.head.length)
    for entry in tail:
        _under_way.pop(entry.tag, None)
    return cleared


def _known_subjects(
    tags: set[str], hints: Hints | None, *searches: Callable[[], Iterable[uuid.UUID]]
) -> dict[str, uuid.UUID]:
    """Whom tags mean: of a live end by its hints and what else is under way, else by one search after another."""
    known = {**_under_way, **hints.subjects} if hints else {}
    for search in searches:
        if tags <= known.keys():
            break
        wanted = tags - known.keys()
        known |= {tag: ident for ident in search() if (tag := ledger_tag(ident)) in wanted}
    return known


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
            case Kind.WITHDRAWN:
                if withdraw := getattr(holding, "withdraw", None):  # only the room of the consents has any
                    withdraw(subject)
            case _:
                continue
    return cleared


def _destroy(subject: uuid.UUID, *, tag: bytes | None, until: date) -> None:
    """Delete the keys of a person and of all that is theirs, or of one item; reserve a handle's tag."""
    keys = ItemKey.objects.using("keystore")
    keys.filter(owner=subject).delete()
    keys.filter(pk=subject).delete()
    UserKey.objects.using("keystore").filter(pk=subject).delete()
    if tag is not None:
        ReservedHandle.objects.using("keystore").update_or_create(tag=tag, defaults={"until": until})


def destroy_left_keys(*subjects: uuid.UUID) -> int:
    """Destroy what keys there are of subjects whose end is in the ledger and was applied; the epoch that must turn.

    There are none as a rule. That epoch is then the careful answer to when they died: it must come to its end too.
    """
    with keystore_commit() as state:
        for subject in subjects:
            _destroy(subject, tag=None, until=state.slow_date)
        state.dirty = True
        state.forgotten += 1
        epoch = state.epoch
    forget_keys()
    return epoch


def _note_applied(state: Keystore, chain: Chain, *, died: bool) -> None:
    state.ledger_length, state.ledger_hash = chain.head.length, chain.head.hash
    if died:
        state.dirty = True
        state.forgotten += 1


def _search_keys() -> Iterator[uuid.UUID]:
    """Every key's subject: only when a replay meets entries that it has no hint for."""
    yield from UserKey.objects.using("keystore").values_list("pk", flat=True).iterator()
    yield from ItemKey.objects.using("keystore").values_list("pk", flat=True).iterator()


def _search_rows() -> Iterator[uuid.UUID]:
    """Every row's, one by one: there may be millions."""
    for holding in holdings():
        yield from holding.subjects()


def reserve_handle(tag: bytes) -> None:
    """Keep back a handle that somebody gave up, by its tag, for as long as after an erasure."""
    with keystore_commit() as state:
        until = state.slow_date + RESERVED
        ReservedHandle.objects.using("keystore").update_or_create(tag=tag, defaults={"until": until})


def is_reserved(tag: bytes) -> bool:
    """Whether a handle's tag may not be taken yet."""
    reserved = ReservedHandle.objects.using("keystore").filter(tag=tag)
    return reserved.filter(until__gt=keystore_state().slow_date).exists()


def ended_subjects(chain: Chain, kinds: Iterable[Kind]) -> frozenset[str]:
    """The tags that the ledger has ended, by kind."""
    wanted = set(kinds)
    return frozenset(entry.tag for entry in chain.entries if entry.kind in wanted)
