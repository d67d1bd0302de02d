"""Bring an export into an account of this instance, whole or not at all: read, written out of sight, then shown."""

from __future__ import annotations

import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from django.db import DatabaseError, transaction

from mindstage.accounts.arrivals import finish_arrivals, undo_arrivals
from mindstage.accounts.models import User
from mindstage.datamap.holdings import holdings
from mindstage.datamap.porting import NotUnderstood, Porter, Report
from mindstage.kit import ids
from mindstage.kit.words import counted
from mindstage.ledger.signing import fingerprint
from mindstage.rights.archive import Archive
from mindstage.rights.export_models import KeptFile

KEPT_BYTES = 16 * 1024 * 1024
"""Together, of files that nothing here understands; beyond it they are named and left in their archive."""
KEPT_FILES = 1_000
"""So many of them at most, however small they are."""
ONE = {"stories": "story", "turns": "turn", "drafts": "draft", "characters": "character", "kept files": "kept file",
       "personas": "persona", "lorebooks": "lorebook", "scenarios": "scenario"}  # fmt: skip
INACTIVE = "That account is frozen or being ended, so nothing can be brought in."


@dataclass(frozen=True, slots=True)
class Brought:
    """What an import has to say. `signed_by`: the fingerprint of the key that signed the archive."""

    report: Report
    editions: int
    signed_by: str

    @property
    def sentences(self) -> list[str]:
        """The whole report, a sentence each: nothing is passed over."""
        counts = [f"{number:,} {kind if number != 1 else ONE[kind]}" for kind, number in self.report.came_in.items()]
        said = [f"Came in: {', '.join(counts)}." if counts else "Nothing came in."]
        said += [f"Kept as it is: {one}" for one in _times(self.report.kept)]
        said += [f"Not understood: {one}" for one in _times(self.report.not_understood)]
        if self.editions:
            said.append(f"{counted(self.editions, 'file only says', 'files only say')} the same in other formats.")
        return [*said, f"The archive was whole. The key that signed it: {self.signed_by}."]


def _times(sentences: Counter[str]) -> list[str]:
    """Each sentence once, with how often it is to be said."""
    return [f"{sentence} ({count:,} times)" if count > 1 else sentence for sentence, count in sentences.items()]


def bring_archive(*, owner: uuid.UUID, file: BinaryIO) -> Brought:
    """Bring in the export in `file` (opened for reading, seekable).

    Raises NotUnderstood for whatever is wrong with it; KeyGone when the account is being erased; DatabaseError. Nothing
    came in then, and nothing did when the process was killed: see accounts/arrivals.py.
    """
    if not User.objects.filter(pk=owner, state=User.State.ACTIVE).exists():
        raise NotUnderstood(INACTIVE)
    archive = Archive(file)
    porters = [holding for holding in reversed(holdings()) if isinstance(holding, Porter)]
    archive.check_editions()
    for porter in porters:
        porter.check(archive)
    _read_all(archive)
    report = Report()
    archive.look_for_unknown(report)
    try:
        for porter in porters:
            porter.bring(owner, archive, report)
        rest = _seal_rest(owner, archive, report)
        with transaction.atomic():
            finish_arrivals(person=owner, report=report)
            KeptFile.objects.bulk_create(rest)
    except BaseException:
        with suppress(DatabaseError, OSError):  # then the night does it: nobody sees what is left
            undo_arrivals(report)
        raise
    return Brought(report, len(archive.editions()), fingerprint(archive.key))


def _read_all(archive: Archive) -> None:
    """Files that no room may know are read once before anything is written: one of them may be damaged."""
    for name in archive.names():
        archive.content(name)
    for name in archive.unlisted:
        archive.unlisted_content(name)


def _seal_rest(owner: uuid.UUID, archive: Archive, report: Report) -> list[KeptFile]:
    """What no room has taken is kept, sealed and unused, as far as there is room; every other file is named."""
    unknown = {name: archive.content for name in archive.names() if name not in report.read}
    unlisted = dict.fromkeys(archive.unlisted, archive.unlisted_content)
    room = KEPT_BYTES
    rows: list[KeptFile] = []
    for ident, (name, read) in zip(ids.in_order(), (unknown | unlisted).items(), strict=False):
        if len(rows) == KEPT_FILES:
            report.not_understood[f"{name}: one too many to be kept; it stays in your archive alone."] += 1
            continue
        content = read(name)
        if len(content) > room:
            report.not_understood[f"{name}: too large to be kept; it stays in your archive alone."] += 1
            continue
        room -= len(content)
        rows.append(KeptFile(pk=ident, owner_id=owner).seal(path=name, content=content))
        report.kept[f"{name}: nothing here understands it; it is kept sealed, and is in your next export."] += 1
    return rows
