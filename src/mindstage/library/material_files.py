"""Materials in an archive: taken out, a lorebook also as the file that other programs read, and brought in again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from mindstage.accounts.arrivals import begin_arrival, save_arrival
from mindstage.datamap.porting import Edition, NotUnderstood, Pack, Report, fresh_id, words_of
from mindstage.kit import canonical, ids
from mindstage.kit.shapes import fits
from mindstage.library.cards import CardRefused
from mindstage.library.contents import Kind, check_name, check_texts, content_fits
from mindstage.library.contents import pack as pack_content
from mindstage.library.lorebooks import to_file
from mindstage.library.materials import open_content
from mindstage.library.models import Material
from mindstage.library.trash import MANY
from mindstage.streaming.raw import Refused
from mindstage.vault.keys import KeyGone
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealing import Unreadable

MATERIAL: Final = "mindstage-material-1"
_KNOWN: Final = {"format", "id", "kind", "made_on", "trashed_on", "name", "content"}


def export_materials(person: uuid.UUID) -> Iterator[tuple[str, Any]]:
    """Every material of a person, one at a time."""
    idents = list(Material.objects.filter(owner=person).order_by("id").values_list("pk", flat=True))
    for number, ident in enumerate(idents, start=1):
        row = Material.objects.filter(pk=ident, ending=False).first()
        if row is not None:
            yield from _export(row, number)


def check_materials(pack: Pack) -> None:
    """Read every material. Raises NotUnderstood."""
    for _ in _materials(pack):
        pass


def bring_materials(person: uuid.UUID, pack: Pack, report: Report) -> None:
    """Write what `check_materials` has read. Raises KeyGone."""
    for name, facts in _materials(pack):
        report.read.add(name)
        if facts.get("unreadable") is True:
            report.not_understood[f"{name}: its key was gone where it came from, so there is no text."] += 1
            continue
        _bring(person, facts, report)
        report.look_for_unknown(name, facts, _KNOWN)


def _export(row: Material, number: int) -> Iterator[tuple[str, Any]]:
    facts: dict[str, Any] = {
        "format": MATERIAL,
        "id": str(row.pk),
        "kind": row.kind,
        "made_on": row.made_on.isoformat(),
        "trashed_on": row.trashed_on and row.trashed_on.isoformat(),
    }
    many = MANY[row.kind]
    try:
        name, content = row.open("name", Purpose.EXPORT), open_content(row, Purpose.EXPORT)
    except (KeyGone, Unreadable):
        yield f"{many}/{number:04}/material.json", facts | {"unreadable": True}
        return
    folder = f"{many}/{number:04}{words_of(name)}"
    yield f"{folder}/material.json", facts | {"name": name, "content": content}
    if row.kind == Kind.LOREBOOK:
        try:
            yield f"{folder}/lorebook.json", Edition(canonical.to_bytes(to_file(row, Purpose.EXPORT)))
        except CardRefused:  # this program has become stricter; the book itself is there
            return


def _materials(pack: Pack) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in sorted(pack.names()):
        if name.endswith("/material.json") and name.partition("/")[0] in MANY.values():
            facts = pack.json(name)
            if not isinstance(facts, dict) or not _is_right(facts):
                raise NotUnderstood(f"The archive’s file {name} is not what it should be, so nothing was brought in.")
            yield name, facts


def _is_right(facts: dict[str, Any]) -> bool:
    if not fits(facts, {"id": str, "kind": str}) or facts.get("format") != MATERIAL or facts["kind"] not in Kind:
        return False
    if facts.get("unreadable") is True:
        return True
    try:
        date.fromisoformat(facts.get("made_on", ""))
        if check_name(facts["kind"], facts.get("name", "")) != facts["name"]:
            return False
        if not content_fits(facts["kind"], facts.get("content")):
            return False
        check_texts(facts["kind"], facts["name"], facts["content"])
        return bool(pack_content(facts["kind"], facts["content"]))
    except (ValueError, TypeError, AttributeError, Refused):
        return False


def _bring(person: uuid.UUID, facts: dict[str, Any], report: Report) -> None:
    row = Material(pk=fresh_id(facts["id"], ids.sequential()), owner_id=person, kind=facts["kind"])
    begin_arrival(row, person=person, report=report)
    row.made_on = date.fromisoformat(facts["made_on"])
    content = facts["content"]
    if row.kind == Kind.SCENARIO:
        content = content | {"source": report.name_anew(content.get("source", ""))}
    row.seal(name=facts["name"], content=pack_content(row.kind, content))
    save_arrival(row, person=person, lay_in_trash=facts.get("trashed_on") is not None, report=report)
    report.came_in[MANY[row.kind]] += 1
