"""Erase an account: frozen seven days, then ledger, keys, a try to open, rows, a second look, epoch, receipt.

Every step is one function that may be run again, and ends with one durable change of `ErasureRequest.state`; a process
that is killed anywhere goes on from there. Until the point of no return the person can call it off, signed in or with
the claim code; after it nothing can. docs/subsystems/erasure.md
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction

from mindstage.accounts.endings import keep
from mindstage.accounts.freezing import NotActive, freeze_account, stop_all, thaw_account
from mindstage.accounts.handles import tag_of_account
from mindstage.accounts.models import User
from mindstage.accounts.notices import notify
from mindstage.accounts.sessions import end_all
from mindstage.datamap.holdings import Rearmed, holdings
from mindstage.ledger import book
from mindstage.ledger.book import Chain, Kind, LedgerBroken
from mindstage.ledger.envelopes import claim_nonce, code_hash, commit, envelope_key, make_claim_code, plain_code
from mindstage.rights import receipts
from mindstage.rights.requests import ErasureRequest
from mindstage.rights.verifying import KEYS, count_left, try_to_open
from mindstage.rights.versions import version_in_force
from mindstage.vault.clocks import slow_date
from mindstage.vault.ending import (
    Hints,
    apply_to_database,
    apply_to_keystore,
    destroy_left_keys,
    ended_subjects,
    record,
)
from mindstage.vault.marks import mark_database
from mindstage.vault.purposes import Purpose
from mindstage.vault.root_key import KeyMistake
from mindstage.vault.rotation import is_done
from mindstage.vault.tags import ledger_tag

log = logging.getLogger(__name__)

FREEZE: Final = timedelta(days=7)
State = ErasureRequest.State


class AlreadyAsked(Exception):
    """The account is frozen already: one request is enough."""


class TooLate(Exception):
    """The keys are being destroyed, or are destroyed: nothing can call this off."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A new request, and its claim code, which is shown once and kept nowhere."""

    due_on: date
    claim_code: str = field(repr=False)


def request_erasure(account: uuid.UUID) -> Asked:
    """Freeze an account, unless its owner did, and give out a claim code. Raises AlreadyAsked, with nothing changed."""
    person = User.objects.filter(pk=account).first()
    if person is None or person.state not in (User.State.ACTIVE, User.State.FROZEN) or request_of(account) is not None:
        raise AlreadyAsked
    code, today = make_claim_code(), slow_date()
    row = ErasureRequest(
        account=account,
        frozen_before=person.state == User.State.FROZEN,
        requested_on=today,
        due_on=today + FREEZE,
        claim_hash=code_hash(code),
        envelope_key=envelope_key(code),
        commitment=commit(person.open("handle", Purpose.SHOW), claim_nonce(code)).hex(),
    )
    try:
        freeze_account(account, also=lambda: _keep_request(row, person), state=person.state)
    except (NotActive, IntegrityError):  # two clicks at once: one request
        raise AlreadyAsked from None
    return Asked(row.due_on, code)


def _keep_request(row: ErasureRequest, person: User) -> None:
    row.save(force_insert=True)
    day = f"{row.due_on:%d %B %Y}".lstrip("0")
    notify(
        account=person, text=f"Your account was frozen and will be deleted on {day}. Until then you can call it off."
    )


def request_of(account: uuid.UUID) -> ErasureRequest | None:
    """The running request of an account."""
    return ErasureRequest.objects.filter(account=account).first()


def find_request(claim_code: str) -> ErasureRequest | None:
    """The request that a claim code belongs to."""
    if not plain_code(claim_code):
        return None
    return ErasureRequest.objects.filter(claim_hash=code_hash(claim_code)).first()


def cancel_erasure(row: ErasureRequest) -> None:
    """Call it off: the ledger's *keep* first, then the account is as it was before. Raises TooLate."""
    if row.state != State.FROZEN or row.account is None:
        raise TooLate
    keep(row.account)
    if ErasureRequest.objects.filter(pk=row.pk).exists():  # the night was faster
        raise TooLate
    notify(account=User.objects.get(pk=row.account), text="The deletion of your account was called off.")


def end_own_freeze(account: uuid.UUID) -> bool:
    """Thaw an account that its owner froze; False when it is not frozen, or frozen until its end.

    The account's row is taken first: a request that comes at the same moment waits for it, or stands there already.
    """
    with transaction.atomic():
        thawed = thaw_account(account)
        if thawed and request_of(account) is not None:
            transaction.set_rollback(True)
            return False
    return thawed


def keep_account(account: uuid.UUID) -> None:
    """What a *keep* entry of the ledger does here: a request that is not past the point of no return is void.

    The account is as it was before: active, or frozen by its owner.
    """
    with transaction.atomic():
        for row in ErasureRequest.objects.filter(account=account, state=State.FROZEN):
            if row.delete()[0] and not row.frozen_before:
                thaw_account(account)


def resume_destroyed(account: uuid.UUID) -> None:
    """What a *person* entry of the ledger does here: a request that a backup remembers as running goes on after it.

    It is not called off any more, and comes to its end and its receipt as every other does. Harmless to repeat.
    """
    for row in ErasureRequest.objects.filter(account=account, state__in=(State.FROZEN, State.DESTROYING)):
        facts = row.facts or _facts(account)
        _move(row, State.RECORDED, facts=facts | {"ledger": receipts.inclusion(_chain(), ledger_tag(account))})


def rearm_freezes(day: date) -> list[Rearmed]:
    """After a restore every running freeze lasts its full seven days again."""
    rows, due = ErasureRequest.objects.filter(state=State.FROZEN, account__isnull=False), day + FREEZE
    words = f"your account, which will be deleted on {due:%-d %B %Y}; until then you can call it off"
    found = [Rearmed(row.subject, 1, words) for row in rows]
    rows.update(due_on=due)
    return found


def run_due() -> int:
    """Take every request as far as it can go now; how many came to their end. The night runs it, and any start may.

    One that cannot go on (a full disk, a locked keystore) keeps no other from its end. Raises the last such trouble.
    """
    done, problem = 0, None
    for row in _due():
        try:
            done += erase_now(row)
        except (OSError, DatabaseError, LedgerBroken, KeyMistake) as trouble:  # what is done stays done
            log.error("an erasure could not go on (%s); it is tried again", type(trouble).__name__)
            problem = trouble
    receipts.purge_old_receipts()
    if problem is not None:
        raise problem
    return done


def _due() -> Iterator[ErasureRequest]:
    begun = ErasureRequest.objects.exclude(state__in=(State.FROZEN, State.DONE))
    frozen = ErasureRequest.objects.filter(state=State.FROZEN, due_on__lte=slow_date())
    yield from list(begun) + list(frozen)


def erase_now(row: ErasureRequest) -> bool:
    """Go on with one request from wherever it stands; True when it came to its end."""
    while (step := STEPS.get(State(row.state))) and step(row):
        pass
    return row.state == State.DONE


def _move(row: ErasureRequest, to: State, **changes: object) -> bool:
    """One durable change; False when another worker was faster, which then goes on."""
    rows = ErasureRequest.objects.filter(pk=row.pk, state=row.state)
    if not rows.update(state=to, **changes):
        return False
    row.refresh_from_db()
    return True


def begin_destroying(row: ErasureRequest) -> bool:
    """The point of no return: only if the account is still frozen, and its time is over."""
    account = row.subject
    if row.due_on > slow_date():
        return False
    if User.objects.filter(pk=account, state=User.State.ACTIVE).exists():  # it was called off, and a crash left this
        row.delete()
        return False
    facts = _facts(account)
    with transaction.atomic():
        User.objects.filter(pk=account).update(state=User.State.DESTROYING)
        end_all(User(id=account))
        mark_database()
        moved = _move(row, State.DESTROYING, facts=facts)
        if not moved:
            transaction.set_rollback(True)
    stop_all(account)
    return moved


def _facts(account: uuid.UUID) -> dict[str, object]:
    """What the receipt will say of an account, looked at while it is still there."""
    went_out = list(receipts.went_out(account))
    return {"found": count_left(account), "policy": version_in_force().release.number, "went_out": went_out}


def write_ledger(row: ErasureRequest) -> bool:
    """Append the entry and pin the head, once."""
    chain = _chain()
    if ledger_tag(row.subject) not in ended_subjects(chain, [Kind.PERSON]):
        chain = record(Kind.PERSON, row.subject)
    return _move(row, State.RECORDED, facts=row.facts | {"ledger": receipts.inclusion(chain, ledger_tag(row.subject))})


def destroy_keys(row: ErasureRequest) -> bool:
    """Destroy the person's key and all their items' keys, and reserve the handle's tag."""
    died_in = apply_to_keystore(_chain(), handle_of=tag_of_account, hints=Hints.of(row.subject))
    if died_in is None:  # before a crash or a restore, perhaps in an epoch that is over
        died_in = destroy_left_keys(row.subject)
    return _move(row, State.KEYLESS, died_in=died_in)


def try_keys(row: ErasureRequest) -> bool:
    """Try to open what lies there sealed: whatever still opens stops the path and is an alarm."""
    tried = try_to_open(row.subject)
    if tried.opened:
        died_in = destroy_left_keys(row.subject, *tried.keys)
        return _sound_alarm(row, tried.opened, died_in=died_in)
    before = row.facts.get("tried", 0)  # the second time after a round that did not clear everything
    return _move(row, State.SHUT, facts=row.facts | {"tried": max(tried.texts, before)})


def clear_rows(row: ErasureRequest) -> bool:
    """Clear what every room holds, in batches, so that others go on writing."""
    apply_to_database(_chain(), hints=Hints.of(row.subject))
    for holding in holdings():  # a row that was written beside the first round is found in the second
        holding.erase(row.subject)
    return _move(row, State.CLEARED)


def verify(row: ErasureRequest) -> bool:
    """Look again, everywhere: whatever is found stops the path and is an alarm."""
    left = count_left(row.subject)
    if left:
        died_in = destroy_left_keys(row.subject) if KEYS in left else row.died_in
        return _sound_alarm(row, sum(left.values()), died_in=died_in)
    return _move(row, State.WAITING, findings=0)


def _sound_alarm(row: ErasureRequest, count: int, *, died_in: int | None) -> bool:
    """Note what was found, for the log and the doctor, and go back to where the next round begins: no receipt."""
    log.error("an erasure is not complete: %d things were found; it is tried again", count)
    _move(row, State.KEYLESS, findings=count, died_in=died_in)
    return False


def complete(row: ErasureRequest) -> bool:
    """When every slot of epoch file and escrow is newer than the epoch in which the keys died: the receipt."""
    if row.died_in is None or not is_done(row.died_in):
        return False
    if "completed_on" not in row.facts:  # before the receipt: written again after a crash, it must be the same one
        _move(row, State.WAITING, facts=row.facts | receipts.closing_facts())
    digest = receipts.issue_receipt(row)
    day = date.fromisoformat(row.facts["completed_on"])
    return _move(row, State.DONE, account=None, completed_on=day, receipt_hash=digest, facts={})


STEPS: Final[Mapping[State, Callable[[ErasureRequest], bool]]] = {
    State.FROZEN: begin_destroying,
    State.DESTROYING: write_ledger,
    State.RECORDED: destroy_keys,
    State.KEYLESS: try_keys,
    State.SHUT: clear_rows,
    State.CLEARED: verify,
    State.WAITING: complete,
}
"""What is next, by what is durable. A step that says False has to wait."""


def _chain() -> Chain:
    chain = book.read_book(settings.MINDSTAGE.ledger_dir)
    if chain is None:
        raise LedgerBroken
    return chain
