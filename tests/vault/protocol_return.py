"""The way back, in the model of `protocol_model.py`: what is compared at a start, and what a restore puts in place.

There is one way in: whatever was put back, cut off or lost, the start decides whether anything is served.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vault.protocol_model import (
    BIN,
    FREEZE,
    OPEN,
    REFUSED,
    RESTORING,
    Copy,
    Course,
    Database,
    World,
    clearings,
    extends,
)


def start(w: World) -> Course:
    """Ends open, restoring (an older database or keystore, which a replay cures) or refused."""
    w.mode = REFUSED
    if w.K is None or w.D is None:
        return
    pins = [file.pin for file in (w.F, w.escrow) if file]
    if w.L is None and not any([*pins, w.K.applied, w.D.applied]):
        w.L = ()  # nothing was ever ended here
        yield "an empty ledger"
    newer = w.escrow and (w.F is None or max(w.escrow.slots) > max(w.F.slots))
    if newer or w.F is None or w.K.epoch not in w.F.slots:
        if not newer or w.K.epoch not in w.escrow.slots or w.L is None or not extends(w.L, w.escrow.pin):
            return
        w.F = w.escrow
        yield "epoch file from the escrow"
    if w.L is None or not reaches_all(w, w.L) or not extends(w.L, w.K.applied):
        return
    if w.K.gen < w.D.kgen or w.D.gen < w.K.dgen:
        w.mode = RESTORING
        return
    yield from w.apply_to_keys()
    yield from w.apply_to_rows()
    yield from w.expire()
    if not w.opening_copies(frozenset({w.K.epoch})):
        yield from w.copy_keystore()
    yield from w.resume_rotation()
    yield from w.pin()
    w.mode = OPEN


def reaches_all(w: World, ledger: tuple) -> bool:
    """Whether a ledger goes on from all that epoch file, escrow and database know of it."""
    pins = [file.pin for file in (w.F, w.escrow) if file]
    return all(extends(ledger, pin) for pin in pins) and len(ledger) >= (w.D.applied if w.D else 0)


def restore_database(w: World, name: str, *, not_newer_than: int | None = None) -> Course:
    """Staged: all of the ledger is replayed, clocks get their full time again. Then one swap, and a start."""
    if name not in w.living_backups():
        return
    d = w.backups[name][1].copy()
    if d.applied > len(w.L) or (not_newer_than is not None and d.kgen > not_newer_than):
        return
    if tail := w.L[d.applied :]:
        for clear in [clear for kind, subject, _ in tail for clear in clearings(kind, subject)]:
            clear(d)
        d.applied = len(w.L)
    for rearm in rearmings(w.K.slow):
        rearm(d)
    seen = max(w.D.gen if w.D else 0, w.K.dgen, d.gen + bool(tail))
    d.gen, d.kgen = seen + 1, w.K.gen
    w.D = d
    yield "swap"
    yield from start(w)


def rearmings(day: int) -> list[Callable[[Database], None]]:
    """Every running freeze, then every stay in the bin, begins anew."""

    def freezes(d: Database) -> None:
        ends = {p: row for p, row in d.people.items() if row.state != "active"}
        d.people |= {p: replace(row, state="frozen", due=day + FREEZE) for p, row in ends.items()}

    def bins(d: Database) -> None:
        ends = {i: row for i, row in d.items.items() if row.bin is not None}
        d.items |= {i: replace(row, bin=day + BIN) for i, row in ends.items()}

    return [freezes, bins]


def newest_copy(w: World) -> Copy | None:
    file = w.F or w.escrow
    return (w.opening_copies(file.slots) or [None])[-1] if file else None


def restore_keystore(w: World, copy: Copy) -> Course:
    """What was made after the copy is lost. What was ended after it is not."""
    ledger = copy.L if w.L is None else w.L
    if not reaches_all(w, ledger) or not extends(ledger, copy.L):
        return
    if w.F is None and w.escrow:
        w.F = w.escrow
        yield "epoch file"
    if w.L is None:
        w.L = ledger
        yield "ledger"
    yield from swap_keystore(w, copy)
    yield from start(w)


def restore_newest_copy(w: World) -> Course:
    if copy := newest_copy(w):
        yield from restore_keystore(w, copy)


def swap_keystore(w: World, copy: Copy) -> Course:
    """Newer than all that was seen, dirty, and on the slow date of the keystore that it replaces."""
    k, rows = copy.K.copy(), w.D or Database()
    k.gen = max(w.K.gen if w.K else 0, rows.kgen, k.gen) + 1
    k.dgen, k.dirty, k.slow = rows.gen, True, w.K.slow if w.K else k.slow
    if tail := len(k.applied) < len(w.L):
        k.replay(w.L, w.D)
    k.gen += tail
    w.K = k
    yield "swap"


def restore_machine(w: World) -> Course:
    """Root key, escrow, copies and backups are all there is. In the end the epoch turns, and the old machine is out."""
    w.mode = REFUSED
    if w.escrow is None:
        return
    copies = [copy for copy in w.opening_copies(w.escrow.slots) if extends(copy.L, w.escrow.pin)]
    if not copies:
        return
    w.F, w.L = w.escrow, copies[-1].L
    yield from swap_keystore(w, copies[-1])
    for name in w.living_backups():
        if w.backups[name][1].kgen <= copies[-1].K.gen:
            yield from restore_database(w, name)
            break
    if w.mode == OPEN:
        yield from w.rotate()


def replay(w: World) -> Course:
    """An older database or keystore lies here on purpose: bring both up to the ledger, and to one age."""
    yield from start(w)
    if w.mode != RESTORING:
        return
    older, met = w.D.gen, w.D.kgen
    yield from w.apply_to_keys()
    yield from w.apply_to_rows()
    if older < w.K.dgen:
        for rearm in rearmings(w.K.slow):
            with w.rows(counted=False) as d:
                rearm(d)
            yield "clocks"
    new_keys = w.K.copy()
    new_keys.gen, new_keys.dgen = max(w.K.gen, met) + 1, max(w.K.dgen, w.D.gen)
    new_keys.dirty = True
    w.K = new_keys
    yield "keys"
    with w.rows() as d:
        d.gen = max(d.gen, w.K.dgen)
        d.kgen = w.K.gen
    yield "rows"
    yield from start(w)


def artefacts(w: World) -> dict[str, object]:
    return {name: getattr(w, name) for name in "DKLFS"}


def put_back(w: World, old: dict[str, object], names: str) -> None:
    for name in names:
        setattr(w, name, old[name])
