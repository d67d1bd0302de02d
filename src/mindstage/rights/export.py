"""Take one's data out: ask for an export, write it (a job), fetch it, throw it away. docs/subsystems/export.md"""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Generator, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from mindstage.accounts.models import User
from mindstage.kit import clock
from mindstage.rights.export_models import Export
from mindstage.rights.packing import Event, count_things, list_files, to_zip
from mindstage.rights.pipes import feed, through
from mindstage.vault.files import make_private_folder
from mindstage.vault.keys import KeyGone, create_item_key, destroy_item_key, instance_key, item_key
from mindstage.vault.marks import mark_database
from mindstage.vault.purposes import Purpose
from mindstage.vault.sealed_files import open_chunks, seal_chunks
from mindstage.vault.sealing import derive

KEPT = timedelta(hours=24)
EVERY = timedelta(hours=24)
QUIET = timedelta(minutes=1)
"""A job that has said nothing for so long was killed."""
ENDING = ".export"
ALIVE = (User.State.ACTIVE, User.State.FROZEN)
"""Whoever has frozen their account may still take everything with them."""

ONE_A_DAY = "One export a day: you asked for one within the last 24 hours. Nothing new was begun; come back later."
NO_AGE_KEY = (
    "This is not a public age key: one begins with “age1” and has 62 letters and digits. Look whether all are there; "
    "no export was begun."
)
NOT_NOW = "Your account is being ended, so nothing new can be begun."


class ExportRefused(Exception):
    """No export was begun. `sentence` says why, for people."""

    def __init__(self, sentence: str) -> None:
        super().__init__("no export was begun")
        self.sentence = sentence


class StillWriting(Exception):
    """Another worker seems to be at this export; the job comes back later."""


class Abandoned(Exception):
    """The export, or its owner, is gone, or another worker has taken it over."""


def request_export(*, owner: uuid.UUID, recipient: str = "") -> Export:
    """Begin an export of everything that is held of a person. `recipient`: a public age key, or "".

    Raises ExportRefused, also when the account is being erased.
    """
    from mindstage.rights.jobs import make_export

    recipient = check_recipient(recipient)
    _draw_in()
    if next_export(owner):
        raise ExportRefused(ONE_A_DAY)
    export = Export(owner_id=owner)
    try:
        create_item_key(export.pk, owner=owner)
    except KeyGone:
        raise ExportRefused(NOT_NOW) from None
    if recipient:
        export.seal(recipient=recipient)
    with transaction.atomic():
        person = User.objects.select_for_update().filter(pk=owner, state__in=ALIVE).first()
        if person is None:
            raise ExportRefused(NOT_NOW)
        if next_export(owner):  # two tabs: the row of the account is locked now
            raise ExportRefused(ONE_A_DAY)
        export.save(force_insert=True)
        mark_database()
        make_export.enqueue(str(export.pk))
        _tell(person)
    return export


def check_recipient(typed: str) -> str:
    """A public age key in its one spelling, or "" where none was typed. Raises ExportRefused."""
    recipient = typed.strip()
    if recipient:
        _to_recipient(recipient)
    return recipient


def _draw_in() -> None:
    """A moment still to come was written while the wall clock was ahead. A day begins now at the latest.

    A sign of life is left alone when it is barely ahead: until this write has its turn, a worker gives another.
    """
    now = clock.now()
    Export.objects.filter(asked_at__gt=now).update(asked_at=now)
    Export.objects.filter(ready_at__gt=now).update(ready_at=now)
    Export.objects.filter(touched_at__gt=now + clock.AHEAD).update(touched_at=now)


def next_export(owner: uuid.UUID) -> datetime | None:
    """From when another may be asked for; None if it may be now."""
    lately = Export.objects.filter(owner=owner, asked_at__gt=clock.now() - EVERY).exclude(state=Export.State.FAILED)
    last = lately.order_by("-asked_at").first()
    return last.asked_at + EVERY if last else None


def _to_recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise ExportRefused(NO_AGE_KEY) from None


def _tell(person: User) -> None:
    from mindstage.accounts.notices import notify

    notify(account=person, text="An export of your data was asked for. If it was not you, end all sessions now.")


def list_exports(owner: uuid.UUID) -> list[Export]:
    """A person's exports of the last day, the newest first."""
    return list(Export.objects.filter(owner=owner).exclude(state=Export.State.GONE).order_by("-asked_at"))


def find_ready(owner: uuid.UUID, ident: uuid.UUID) -> Export | None:
    """An export of that person that can be fetched, or None."""
    export = Export.objects.filter(pk=ident, owner=owner, state=Export.State.READY).first()
    return None if export is None or export.ready_at is None or clock.now() - export.ready_at >= KEPT else export


def write_export(ident: uuid.UUID) -> None:
    """Write the file of an export that was asked for. Harmless to repeat: a killed one begins anew.

    Raises StillWriting while another worker is at it.
    """
    claim = _claim(ident)
    if claim is None:
        return
    draft = folder() / f"{ident.hex}.{secrets.token_hex(8)}.new"  # of this worker alone
    try:
        _write(Export.objects.get(pk=ident), claim, draft)
    except Exception as trouble:  # whatever it was, nobody waits for it, and the person may ask again at once
        if claim.end(Export.State.FAILED) or not _is_anybodys(ident):
            discard_file(ident)
        if not isinstance(trouble, Abandoned | KeyGone | OSError | Export.DoesNotExist):  # no fault: see Abandoned
            raise
    finally:
        draft.unlink(missing_ok=True)


def give_up_export(ident: uuid.UUID) -> None:
    """Say that an export failed whose every worker was killed; its owner may ask again at once. Harmless to repeat.

    Raises StillWriting while a worker is at it: that one may be slow and not dead.
    """
    claim = _claim(ident)
    if claim is not None and claim.end(Export.State.FAILED):
        discard_file(ident)


class _Claim:
    """A worker's right to write an export: the moment at which it last said that it is at work.

    Whoever finds that moment QUIET ago takes the right over, and the slower one learns of it at its next word.
    """

    def __init__(self, ident: uuid.UUID, since: datetime) -> None:
        self._ident, self._since = ident, since

    def renew(self, **progress: int) -> None:
        """Say that the work goes on. Raises Abandoned."""
        now = clock.now()
        if not self._row().update(touched_at=now, **progress):
            raise Abandoned
        self._since = now

    def end(self, state: Export.State, **result: Any) -> bool:
        """Write how it ended; False when the right is another's, or the row is gone."""
        return bool(self._row().update(state=state, **result))

    def _row(self) -> QuerySet[Export]:
        return Export.objects.filter(pk=self._ident, state=Export.State.WRITING, touched_at=self._since)


def _claim(ident: uuid.UUID) -> _Claim | None:
    _draw_in()
    now = clock.now()
    open_ones = Export.objects.filter(pk=ident, state__in=(Export.State.WAITING, Export.State.WRITING))
    free = open_ones.filter(Q(touched_at=None) | Q(touched_at__lte=now - QUIET))
    if free.update(state=Export.State.WRITING, touched_at=now):
        return _Claim(ident, now)
    if open_ones.exists():
        raise StillWriting
    return None


def _is_anybodys(ident: uuid.UUID) -> bool:
    """Whether another worker is at this export, or has written it."""
    return Export.objects.filter(pk=ident, state__in=(Export.State.WRITING, Export.State.READY)).exists()


def _write(export: Export, claim: _Claim, draft: Path) -> None:
    make_private_folder(folder())
    for left in folder().glob(f"{export.pk.hex}.*.new"):  # by a worker that was killed, or whose right this is now
        left.unlink(missing_ok=True)
    told = _Progress(claim, count_things(export.owner_id))
    recipient = export.open("recipient", Purpose.EXPORT) if export.recipient else ""
    written = _Written()
    keys = (file_key(export.pk), instance_key("receipt"))
    events = told.beating(list_files(export.owner_id, told))
    feed(events, partial(_store, draft, place_of(export.pk), keys, recipient, written))
    claim.renew()
    draft.replace(path_of(export.pk))
    done = {"things": told.things, "things_done": told.things}
    if not claim.end(Export.State.READY, ready_at=clock.now(), size=written.size, **done):
        raise Abandoned


class _Written:
    size = 0


class _Progress:
    """Tells the row how far the job is, and that it is at work, every two seconds at most."""

    def __init__(self, claim: _Claim, things: int) -> None:
        self.things = things
        self._claim, self._done, self._last = claim, 0, 0.0

    def __call__(self, done: int) -> None:
        self._done = min(done, self.things)

    def beating(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same events: each is a sign of life, for one story may take longer than QUIET. Raises Abandoned."""
        for event in events:
            if clock.timestamp() - self._last >= 2:
                self._last = clock.timestamp()
                self._claim.renew(things_done=self._done, things=self.things)
            yield event


def _store(
    draft: Path, place: bytes, keys: tuple[bytes, bytes], recipient: str, written: _Written, events: Iterator[Event]
) -> None:
    """Pack, encrypt if asked, seal and write. It runs in a thread of its own and touches no database."""
    key, seed = keys
    plain = to_zip(events, seed=seed)
    if recipient:
        to = _to_recipient(recipient)
        plain = through(plain, lambda reader, writer: pyrage.encrypt_io(reader, writer, [to]))
    with _create(draft) as file:
        for piece in seal_chunks(_counted(plain, written), key=key, place=place):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _create(draft: Path) -> BinaryIO:
    return os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _counted(parts: Iterator[bytes], written: _Written) -> Iterator[bytes]:
    for part in parts:
        written.size += len(part)
        yield part


def folder() -> Path:
    """Where exports lie while they wait."""
    return settings.MINDSTAGE.exports_dir


def path_of(ident: uuid.UUID) -> Path:
    return folder() / f"{ident.hex}{ENDING}"


def file_key(ident: uuid.UUID) -> bytes:
    """The key of an export's file. Raises KeyGone."""
    return derive(item_key(ident), "file")


def place_of(ident: uuid.UUID) -> bytes:
    """What an export's chunks are bound to."""
    return b"export|" + ident.bytes


def read_export(export: Export) -> Generator[bytes]:
    """The archive's bytes, in pieces of 64 KiB; closing it closes the file. Raises Unreadable, KeyGone, OSError."""
    with path_of(export.pk).open("rb") as file:
        yield from open_chunks(file, key=file_key(export.pk), place=place_of(export.pk))


def fail_damaged(ident: uuid.UUID) -> None:
    """The file of a finished export does not open any more: it failed, and its owner may ask again at once.

    The file goes. The key, which opens nothing else, ends with the export's day: the thread that notes this stores
    everybody's turns, and must not wait for the keystore.
    """
    if Export.objects.filter(pk=ident, state=Export.State.READY).update(state=Export.State.FAILED):
        for path in _files_of(ident):
            path.unlink(missing_ok=True)


def discard_export(*, owner: uuid.UUID, ident: uuid.UUID) -> bool:
    """Throw an export away before its time; False when the person has none of that name."""
    if not Export.objects.filter(pk=ident, owner=owner).update(state=Export.State.GONE):
        return False
    discard_file(ident)
    return True


def discard_file(ident: uuid.UUID) -> None:
    """The key first, then the file."""
    destroy_item_key(ident)
    for path in _files_of(ident):
        path.unlink(missing_ok=True)


def bytes_on_disk(owner: uuid.UUID) -> int:
    """What the files of a person's exports take up, sealed, also of one that is just being written."""
    size = 0
    for path in (path for export in list_exports(owner) for path in _files_of(export.pk)):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def _files_of(ident: uuid.UUID) -> list[Path]:
    return list(folder().glob(f"{ident.hex}.*"))


def purge_old_exports() -> int:
    """End every export whose day is over, and every file without one; how many there were. A clock runs it."""
    _draw_in()
    now = clock.now()
    over = Q(ready_at__lte=now - KEPT) | Q(ready_at=None, asked_at__lte=now - KEPT)
    idents = list(Export.objects.filter(over).values_list("pk", flat=True))
    for ident in idents:
        discard_file(ident)
        Export.objects.filter(pk=ident).delete()
    return len(idents) + _purge_strays()


def _purge_strays() -> int:
    """Files of exports that no row knows any more: their owner was erased, or an older database came back."""
    files = list(folder().glob("*"))  # before the rows: a file that another worker begins now has its row already
    known = {ident.hex for ident in Export.objects.values_list("pk", flat=True)}
    strays = [path for path in files if path.name.partition(".")[0] not in known]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)
