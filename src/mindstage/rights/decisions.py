"""What the program decides about people by itself (datamap/policy.toml), and how that stands for one of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from mindstage.accounts.models import AgeBand, User
from mindstage.datamap.content import present
from mindstage.datamap.policy import decisions_of
from mindstage.kit import clock
from mindstage.rights.export import EVERY
from mindstage.rights.export_models import Export
from mindstage.rights.models import Consent


@dataclass(frozen=True, slots=True)
class Decision:
    """One kind of decision. `now`: how it stands for the person who looks; "" where nothing is kept about that."""

    id: str
    title: str
    looks_at: str
    does: str
    turn_to: str
    now: str


def list_decisions(person: uuid.UUID) -> list[Decision]:
    """Every automated decision of the program, with what it means for a person at this moment."""
    return [
        Decision(one["id"], one["title"], one["looks_at"], one["does"], one["turn_to"], _now(one["id"], person))
        for one in decisions_of(present())
    ]


def _now(kind: str, person: uuid.UUID) -> str:
    return NOW[kind](person) if kind in NOW else ""


def _age(person: uuid.UUID) -> str:
    teen = User.objects.filter(pk=person, age_band=AgeBand.TEEN).exists()
    return "You said you are 13 to 17: you are never asked about training." if teen else "You said you are an adult."


def _export(person: uuid.UUID) -> str:
    asked = Export.objects.filter(owner=person, asked_at__gt=clock.now() - EVERY).exclude(state=Export.State.FAILED)
    latest = asked.order_by("-asked_at").values_list("asked_at", flat=True).first()
    return "You can ask for one now." if latest is None else f"You can ask again on {_plain((latest + EVERY).date())}."


def _signal(person: uuid.UUID) -> str:
    said = Consent.objects.filter(account=person, said_by=Consent.By.SIGNAL).order_by("-place").first()
    return "It has not happened to you." if said is None else f"Last on {_plain(said.said_on)}."


def _plain(day: date) -> str:
    return f"{day:%d %B %Y}".lstrip("0")


NOW: Final[Mapping[str, Callable[[uuid.UUID], str]]] = {"age": _age, "export": _export, "signal": _signal}
"""Decisions of which something is kept. A wait after too many tries is counted without a name, in memory alone."""
