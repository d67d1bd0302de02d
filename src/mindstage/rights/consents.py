"""Consents: one switch for each use that a person decides about, each with its version and its history.

`may` is the one question: whoever is about to use something for a purpose asks it each time. A yes counts for the
wording that it was given to. A withdrawal is also an entry of the ledger, so that no restored backup turns it into a
yes again: ledger, pin, database, in this order. docs/subsystems/policy.md
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Max

from mindstage.accounts.models import AgeBand, User
from mindstage.accounts.rate_limits import YESES, count_try
from mindstage.datamap.questions import Question, questions
from mindstage.ledger.book import Kind
from mindstage.rights.models import Consent, switch_of
from mindstage.rights.versions import standings
from mindstage.vault.ending import Hints, apply_to_database, apply_to_keystore, record


class NoSuchQuestion(Exception):
    """The policy asks nothing of that name, or does not ask it of this person."""


class SaidNoBySignal(Exception):
    """The browser sends Global Privacy Control, which is a no to this question."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the history."""

    given: bool
    version: int
    said_by: str
    said_on: date


@dataclass(frozen=True, slots=True)
class Switch:
    """A question as it stands for one person. `asks_again`: they agreed to another wording than the present one."""

    question: Question
    on: bool
    asks_again: bool
    history: tuple[Answer, ...]

    @property
    def last(self) -> Answer | None:
        return self.history[-1] if self.history else None


def may(person: uuid.UUID, purpose: str) -> bool:
    """Whether a person's data may be used for a purpose now. In doubt: no.

    `purpose` is the id of a question: of a consent, or "entry:<id>@<version>" for a change of an entry's own purpose.
    """
    question = questions().get(purpose)
    account = User.objects.filter(pk=person).first()
    if question is None or account is None or not account.is_active or not _is_asked(question, account):
        return False
    return _is_on(question, account, _last(person, purpose))


def switches_of(person: uuid.UUID) -> list[Switch]:
    """Every question that this person is asked, with its state and history."""
    account = User.objects.get(pk=person)
    rows: dict[str, list[Consent]] = {}
    for row in Consent.objects.filter(account=person).order_by("purpose", "place"):
        rows.setdefault(row.purpose, []).append(row)
    asked = [question for question in questions().values() if _is_asked(question, account)]
    return [_switch(question, account, rows.get(question.id, [])) for question in asked]


def give(*, person: uuid.UUID, purpose: str, signal: bool = False) -> None:
    """Say yes to the present wording. `signal`: the browser sends Global Privacy Control.

    Raises NoSuchQuestion, SaidNoBySignal, TooManyTries.
    """
    question = _question(person, purpose)
    if signal and question.signal:
        raise SaidNoBySignal
    if _stands(_last(person, question.id), given=True, version=question.version):
        return
    count_try(YESES, person.bytes)
    _append(person, question.id, version=question.version, given=True, said_by=Consent.By.PERSON)


def withdraw(*, person: uuid.UUID, purpose: str, said_by: Consent.By = Consent.By.PERSON) -> None:
    """Say no, for good until the person says yes again. Raises NoSuchQuestion, LedgerBroken, OSError.

    A no that stands already changes nothing, and writes nothing.
    """
    question = _question(person, purpose)
    if _stands(_last(person, purpose), given=False, version=question.version):
        return
    switch = switch_of(person, purpose)
    chain = record(Kind.WITHDRAWN, switch)
    _append(person, purpose, version=question.version, given=False, said_by=said_by)
    hints = Hints.of(switch)
    apply_to_keystore(chain, handle_of=lambda _: None, hints=hints)
    apply_to_database(chain, hints=hints)


def withdraw_of_adults(person: uuid.UUID) -> None:
    """Withdraw each yes that only adults can give. Raises LedgerBroken, OSError."""
    for question in questions().values():
        last = _last(person, question.id)
        if question.adults_only and last is not None and last.given:
            withdraw(person=person, purpose=question.id)


def honour_signal(person: uuid.UUID) -> None:
    """Global Privacy Control came with a request of this person: every yes that it overrules is withdrawn."""
    overruled = [question.id for question in questions().values() if question.signal]
    for purpose in overruled:
        last = _last(person, purpose)
        if last is not None and last.given:
            withdraw(person=person, purpose=purpose, said_by=Consent.By.SIGNAL)


def asked_again(person: uuid.UUID) -> list[Question]:
    """The questions whose meaning changed since this person last agreed: nothing of it is done meanwhile."""
    if len(standings()) < 2:
        return []
    return [switch.question for switch in switches_of(person) if switch.asks_again]


def _question(person: uuid.UUID, purpose: str) -> Question:
    question = questions().get(purpose)
    if question is None or not _is_asked(question, User.objects.get(pk=person)):
        raise NoSuchQuestion
    return question


def _is_asked(question: Question, account: User) -> bool:
    return not (question.adults_only and account.age_band != AgeBand.ADULT)


def _switch(question: Question, account: User, rows: Iterable[Consent]) -> Switch:
    history = list(rows)
    last = history[-1] if history else None
    on = _is_on(question, account, last)
    agreed = last.given if last else question.default
    answers = tuple(Answer(row.given, row.version, row.said_by, row.said_on) for row in history)
    return Switch(question, on, agreed and not on, answers)


def _is_on(question: Question, account: User, last: Consent | None) -> bool:
    if last is not None:
        return last.given and last.version >= question.version
    return question.default and _began_under(question.version, account)


def _began_under(version: int, account: User) -> bool:
    """Whether a person signed up to this version, so that its defaults are what they came for."""
    found = {standing.release.number: standing for standing in standings()}
    standing = found.get(version)
    if standing is None:  # the program runs a map that is not released yet
        return version <= 1
    return standing.first_here or account.joined_on > standing.seen_on


def _last(person: uuid.UUID, purpose: str) -> Consent | None:
    return Consent.objects.filter(account=person, purpose=purpose).order_by("-place").first()


def _stands(last: Consent | None, *, given: bool, version: int) -> bool:
    """Whether the last answer says this already."""
    return last is not None and (last.given, last.version) == (given, version)


def _append(person: uuid.UUID, purpose: str, *, version: int, given: bool, said_by: Consent.By) -> None:
    """Add an answer, unless it is the one that stands already."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person)
        rows = Consent.objects.filter(account=person, purpose=purpose)
        if _stands(_last(person, purpose), given=given, version=version):
            return
        place = (rows.aggregate(last=Max("place"))["last"] or 0) + 1
        Consent.objects.create(
            account_id=person,
            purpose=purpose,
            switch=switch_of(person, purpose),
            version=version,
            given=given,
            said_by=said_by,
            place=place,
        )


def withdraw_after_restore(switch: uuid.UUID) -> None:
    """Repeat a withdrawal that the ledger knows and this database may not. Harmless to repeat."""
    found = _account_of(switch)
    if found is None:
        return
    person, purpose = found
    question = questions().get(purpose)
    last = _last(person, purpose)
    if question is not None and (last is None or last.given):
        _append(person, purpose, version=question.version, given=False, said_by=Consent.By.RESTORE)


def _account_of(switch: uuid.UUID) -> tuple[uuid.UUID, str] | None:
    """Whose question this is: from the rows, or by trying every account where no row was ever written."""
    row = Consent.objects.filter(switch=switch).first()
    if row is not None:
        return row.account_id, row.purpose
    for person, purpose in all_questions():
        if switch_of(person, purpose) == switch:
            return person, purpose
    return None


def all_questions() -> Iterable[tuple[uuid.UUID, str]]:
    """Every question of every account: what a withdrawal in the ledger may mean."""
    asked = list(questions())
    for person in User.objects.values_list("pk", flat=True).iterator():
        for purpose in asked:
            yield person, purpose
