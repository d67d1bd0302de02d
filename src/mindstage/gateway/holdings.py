"""What this room holds of a person: which providers got parts of their stories."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from mindstage.datamap.holdings import Cleared, Finding
from mindstage.datamap.porting import NotUnderstood, Pack, Report
from mindstage.gateway.models import Sending
from mindstage.gateway.sendings import Sent, list_sent

FILE, FORM = "recipients.json", "mindstage-recipients-1"
TABLE = "database:default gateway_sending"
SENT_ELSEWHERE = "What another instance sent to providers is told in the file; it is not what this one sent."


class GatewayHolding:
    """Lines about requests; no item of its own."""

    name = "gateway"

    def subjects(self) -> Iterator[uuid.UUID]:
        return iter(())

    def weigh(self, person: uuid.UUID) -> int:  # noqa: ARG002 - everybody's lines weigh the same
        return 1

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:
        yield FILE, {"format": FORM, "recipients": [_plain(sent) for sent in list_sent(person)]}

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        count = Sending.objects.filter(owner=person).delete()[0]
        return [Cleared(TABLE, "delete", count)] if count else []

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:  # noqa: ARG002 - every holding is asked alike
        return []

    def keep(self, subject: uuid.UUID) -> None:
        """Nothing here is frozen or in the trash."""

    def remains(self, person: uuid.UUID) -> list[Finding]:
        count = Sending.objects.filter(owner=person).count()
        return [Finding(TABLE, count)] if count else []

    def check(self, pack: Pack) -> None:
        if FILE in pack.names():
            content = pack.json(FILE)
            if not isinstance(content, dict) or content.get("format") != FORM:
                raise NotUnderstood(f"The archive’s file {FILE} is not what it should be; nothing was brought in.")

    def bring(self, person: uuid.UUID, pack: Pack, report: Report) -> None:  # noqa: ARG002 - nothing is changed
        """This instance tells only of what it sent itself."""
        if FILE in pack.names():
            report.read.add(FILE)
            report.kept[SENT_ELSEWHERE] += 1


def _plain(sent: Sent) -> dict[str, Any]:
    return {
        "provider": sent.provider,
        "place": sent.place,
        "keeps": sent.keeps,
        "trains": sent.trains,
        "first_on": sent.first_on.isoformat(),
        "last_on": sent.last_on.isoformat(),
        "requests": sent.requests,
        "ends_on": sent.ends_on and sent.ends_on.isoformat(),
    }
