"""What this room holds of a person: their answers, and which notices they got."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from mindstage.datamap.holdings import Cleared, Finding
from mindstage.datamap.porting import NotUnderstood, Pack, Report
from mindstage.rights.consents import all_questions, withdraw_after_restore
from mindstage.rights.models import Consent, PolicyNotice, switch_of

FILE, CONSENTS = "consents.json", "mindstage-consents-1"
GIVEN_ELSEWHERE = (
    "A yes is given to one instance; the choices you made elsewhere are shown in the file and begin anew here."
)


class RightsHolding:
    """Rows of the main database; no item of its own."""

    name = "rights"

    def subjects(self) -> Iterator[uuid.UUID]:
        """Each question of each account: a withdrawal names it in the ledger."""
        return (switch_of(person, purpose) for person, purpose in all_questions())

    def weigh(self, person: uuid.UUID) -> int:  # noqa: ARG002 - everybody's choices weigh the same
        return 1

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:
        answers = Consent.objects.filter(account=person).order_by("purpose", "place")
        notices = PolicyNotice.objects.filter(account=person).order_by("number", "way")
        yield (
            FILE,
            {
                "format": CONSENTS,
                "answers": [
                    {
                        "purpose": row.purpose,
                        "version": row.version,
                        "given": row.given,
                        "said_by": row.said_by,
                        "said_on": row.said_on.isoformat(),
                    }
                    for row in answers
                ],
                "policy_notices": [
                    {"number": row.number, "told_on": row.told_on.isoformat(), "way": row.way} for row in notices
                ],
            },
        )

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        answers = Consent.objects.filter(account=person).delete()[0]
        notices = PolicyNotice.objects.filter(account=person).delete()[0]
        counts = {"rights.Consent": answers, "rights.PolicyNotice": notices}
        return [Cleared(f"database:default {table}", "delete", count) for table, count in counts.items() if count]

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:  # noqa: ARG002 - every holding is asked alike
        return []

    def keep(self, subject: uuid.UUID) -> None:
        """Nothing here is frozen or in the trash."""

    def withdraw(self, subject: uuid.UUID) -> None:
        """A consent that the ledger says was withdrawn."""
        withdraw_after_restore(subject)

    def remains(self, person: uuid.UUID) -> list[Finding]:
        counts = {
            "rights.Consent": Consent.objects.filter(account=person).count(),
            "rights.PolicyNotice": PolicyNotice.objects.filter(account=person).count(),
        }
        return [Finding(f"database:default {table}", count) for table, count in counts.items() if count]

    def check(self, pack: Pack) -> None:
        if FILE in pack.names():
            content = pack.json(FILE)
            if not isinstance(content, dict) or content.get("format") != CONSENTS:
                raise NotUnderstood(f"The archive’s file {FILE} is not what it should be; nothing was brought in.")

    def bring(self, person: uuid.UUID, pack: Pack, report: Report) -> None:  # noqa: ARG002 - nothing is changed
        """An import gives no consent: a file cannot say yes for a person."""
        if FILE in pack.names():
            report.read.add(FILE)
            report.kept[GIVEN_ELSEWHERE] += 1
