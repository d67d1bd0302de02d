"""Exports and kept files of a person, for the registry of holdings."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any

from mindstage.datamap.holdings import Cleared, Finding
from mindstage.datamap.porting import NotUnderstood, Pack, Report
from mindstage.kit import ids
from mindstage.rights.export import discard_file, path_of
from mindstage.rights.export_models import Export, KeptFile
from mindstage.vault.purposes import Purpose

KEPT = "mindstage-kept-1"
_KNOWN = {"format", "path", "kept_on", "content"}


class ExportsHolding:
    """Exports are not in an export; kept files are, and come back as what they were."""

    name = "exports"

    def subjects(self) -> Iterator[uuid.UUID]:
        yield from Export.objects.values_list("pk", flat=True).iterator()

    def weigh(self, person: uuid.UUID) -> int:
        return KeptFile.objects.filter(owner=person).count()

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:
        for number, row in enumerate(KeptFile.objects.filter(owner=person).order_by("id").iterator(50), start=1):
            content = base64.b64encode(row.open_bytes("content", Purpose.EXPORT)).decode()
            path = row.open("path", Purpose.EXPORT)
            yield (
                f"kept/{number:04}.json",
                {"format": KEPT, "path": path, "kept_on": row.kept_on.isoformat(), "content": content},
            )

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        idents = list(Export.objects.filter(owner=person).values_list("pk", flat=True))
        files = sum(path_of(ident).exists() for ident in idents)
        for ident in idents:
            discard_file(ident)
        rows = Export.objects.filter(owner=person).delete()[0]
        kept = KeptFile.objects.filter(owner=person).delete()[0]
        cleared = [
            Cleared("folder:exports", "unlink", files),
            Cleared("database:default rights_export", "delete", rows),
            Cleared("database:default rights_keptfile", "delete", kept),
        ]
        return [one for one in cleared if one.count]

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:
        if not Export.objects.filter(pk=item).exists():
            return []
        discard_file(item)
        return [Cleared("database:default rights_export", "delete", Export.objects.filter(pk=item).delete()[0])]

    def keep(self, subject: uuid.UUID) -> None:
        """Nothing here is frozen or in the trash."""

    def remains(self, person: uuid.UUID) -> list[Finding]:
        counts = {
            "database:default rights_export": Export.objects.filter(owner=person).count(),
            "database:default rights_keptfile": KeptFile.objects.filter(owner=person).count(),
        }
        return [Finding(place, count) for place, count in counts.items() if count]

    def check(self, pack: Pack) -> None:
        for _ in _kept(pack):
            pass

    def bring(self, person: uuid.UUID, pack: Pack, report: Report) -> None:
        """They have no key of their own and no end that could begin, so they come in last of all."""
        report.read |= {name for name in pack.names() if _is_kept(name)}
        report.at_last.append(partial(_bring_kept, person, pack, report))


def _bring_kept(person: uuid.UUID, pack: Pack, report: Report) -> None:
    for ident, (name, value, content) in zip(ids.in_order(), _kept(pack), strict=False):
        row = KeptFile(pk=ident, owner_id=person, kept_on=date.fromisoformat(value["kept_on"]))
        row.seal(path=value["path"], content=content).save(force_insert=True)
        report.came_in["kept files"] += 1
        report.look_for_unknown(name, value, _KNOWN)


def _is_kept(name: str) -> bool:
    return name.startswith("kept/") and name.endswith(".json")


def _kept(pack: Pack) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    for name in sorted(filter(_is_kept, pack.names())):
        value = pack.json(name)
        try:
            if value["format"] != KEPT or not isinstance(value["path"], str) or len(value["path"]) > 300:
                raise ValueError
            date.fromisoformat(value["kept_on"])
            content = base64.b64decode(value["content"], validate=True)
        except (ValueError, KeyError, TypeError):
            raise NotUnderstood(
                f"The archive’s file {name} is not what it should be, so nothing was brought in."
            ) from None
        yield name, value, content
