"""What happens between the command and the first page, in order. docs/subsystems/serving.md tells the whole story.

Every refusal stands before the first write: a start that fails has touched nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mindstage.kit.children import forbid_core_dumps
from mindstage.ledger import book
from mindstage.ops.instance import Instance
from mindstage.ops.mistakes import StartMistake

LOCK = "mindstage.lock"
A_COMMAND = "A command of Mindstage"
"""Who holds the data folder while one works alone."""
NOT_HERE = "The address {host} is not one of this machine; choose another with --host."


@dataclass(frozen=True, slots=True)
class Prepared:
    """An instance that is ready to serve. `lock` is held as long as it is open; `owner_link` is shown once.

    `is_new`: its keys were made just now, so this is the moment to tell of the recovery sheet.
    """

    socket: socket.socket
    lock: int
    owner_link: str | None
    is_new: bool = False

    @property
    def port(self) -> int:
        port: int = self.socket.getsockname()[1]
        return port


def prepare(instance: Instance) -> Prepared:
    """Make an instance ready to serve. Raises StartMistake, KeyMistake."""
    forbid_core_dumps()
    bound = bind(instance.host, instance.port)
    try:
        refuse_unwritable(instance)
        with said_in_a_sentence():
            lock, owner_link, is_new = _prepare_data(instance)
        return Prepared(bound, lock, owner_link, is_new)
    except BaseException:
        bound.close()
        raise


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises StartMistake."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError):  # nobody knows the name, or it is none that a machine could have
        raise StartMistake(NOT_HERE.format(host=host)) from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
        bound.set_inheritable(False)
    except PermissionError:
        bound.close()
        raise StartMistake(f"Port {port} needs rights that this program lacks; choose one above 1023.") from None
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise StartMistake(NOT_HERE.format(host=host)) from None
        raise StartMistake(
            f"Port {port} on {host} is taken by another program; stop that one or choose another with --port."
        ) from None
    return bound


def refuse_unwritable(instance: Instance) -> None:
    """Raises StartMistake when a folder or file of ours cannot be made or written to. Touches nothing."""
    for folder in folders(instance):
        try:
            place = _nearest_existing(folder)
        except PermissionError:
            place = None
        if place and not place.is_dir():
            raise StartMistake(f"{folder} cannot be used: {place} is not a folder.")
        if not (place and os.access(place, os.W_OK | os.X_OK)):
            raise StartMistake(f"{folder} cannot be written to; give this program's user the right, or choose another.")
    for file in files(instance):
        if os.path.lexists(file) and not file.is_file():
            raise StartMistake(f"{file} is not a file; nothing was changed. Move it away.")
        if file.is_file() and not os.access(file, os.R_OK | os.W_OK):
            raise StartMistake(f"{file} cannot be read and written; give this program's user the right to it.")


def _nearest_existing(folder: Path) -> Path:
    while not folder.exists() and not folder.is_symlink():
        folder = folder.parent
    return folder


def folders(instance: Instance) -> tuple[Path, ...]:
    """Every folder that the program makes, each for its owner alone."""
    return (
        instance.data_dir,
        instance.database_file.parent,
        instance.keystore_file.parent,
        instance.ledger_dir,
        instance.models_dir,
        instance.keys_dir,
    )


def files(instance: Instance) -> Iterator[Path]:
    """Every file that a start opens to write, whether it is there or not; and the locks that others left."""
    yield instance.data_dir / LOCK
    yield instance.ledger_dir / book.NAME
    for file, url in (
        (instance.database_file, instance.database_url),
        (instance.keystore_file, instance.keystore_url),
    ):
        if not url:
            yield from (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm"))
    for folder in (instance.data_dir, instance.keys_dir):
        yield from folder.glob("*.lock")


def _prepare_data(instance: Instance) -> tuple[int, str | None, bool]:
    import django

    django.setup()
    from django.db import connections

    from mindstage.ops.keys_at_start import has_keys, make_keys, refuse_wrong_keys
    from mindstage.ops.schema import bring_up_to_date, lay_out_file, refuse_newer_schema
    from mindstage.ops.staging import clear_stages

    refuse_newer_schema(instance)
    refuse_wrong_keys(instance)
    is_new = not has_keys(instance)
    make_folders(instance)
    lock = take_lock(instance.data_dir)
    clear_stages()
    if not instance.database_url:
        lay_out_file(instance.database_file)
    bring_up_to_date()
    make_keys(instance)
    link = open_house() if refuse_closed_gate() else None
    connections.close_all()  # this thread needs none while it serves; one that stayed would leave its log at the end
    return lock, link, is_new


def refuse_closed_gate() -> bool:
    """Compare keystore, database, ledger, epoch file and escrow; True when all is open.

    Raises StartMistake when they do not belong together.

    Old files that can be replayed are no refusal: the program then starts closed, and says what to do.
    """
    from mindstage.accounts.handles import tag_of_account
    from mindstage.vault.start_check import Mode, check_start

    gate = check_start(handle_of=tag_of_account)
    if gate.mode is Mode.REFUSED:
        raise StartMistake(gate.why)
    return gate.mode is Mode.OPEN


def make_folders(instance: Instance) -> None:
    """Make the folders, 0700. Raises StartMistake."""
    for folder in folders(instance):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        except OSError:
            raise StartMistake(f"{folder} cannot be made private to this program's user (mode 0700).") from None


def take_lock(data_dir: Path, *, name: str = LOCK, what: str = "Mindstage") -> int:
    """Hold the data folder alone: two servers on it would each trust their own memory. Raises StartMistake.

    The file says who holds it, so that whoever is refused hears what to wait for.
    """
    descriptor = os.open(data_dir / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(descriptor, len(A_COMMAND)).decode(errors="replace")
        os.close(descriptor)
        raise StartMistake(_why_held(data_dir, holder or what, by=what)) from None
    with suppress(OSError):  # a full disk: then it says less
        os.ftruncate(descriptor, 0)
        os.write(descriptor, what.encode())
    return descriptor


def _why_held(data_dir: Path, holder: str, *, by: str) -> str:
    if holder == A_COMMAND:
        return f"{A_COMMAND} is at work on {data_dir}, such as an import or a backup; start this when it has ended."
    if by == A_COMMAND:
        return f"{holder} is already running on {data_dir}; stop it, and do this again. Nothing was changed."
    return f"{holder} is already running on {data_dir}; use that one, or give this one another folder with --data."


def open_house() -> str | None:
    """What comes before the first page of an open instance. Returns the link for whoever is to own it, if nobody does.

    The versions of the policy are noted now, not when their clock rings next: from this day on people are told, and a
    day that moved while nobody had written it down would be promised twice.
    """
    from mindstage.rights.versions import note_versions

    note_versions()
    return make_link_for_owner()


def make_link_for_owner() -> str | None:
    """The path of a fresh one-time link while nobody owns this instance; every earlier link ends with it."""
    from mindstage.accounts.models import User
    from mindstage.accounts.owner_link import make_owner_link

    if User.objects.filter(owner=True).exists():
        return None
    return f"/owner/{make_owner_link()}/"


@contextmanager
def said_in_a_sentence() -> Iterator[None]:
    """A database or a disk that takes no part ends the start as any other mistake of the set-up does.

    Raises StartMistake.
    """
    from django.db import DatabaseError

    try:
        yield
    except (DatabaseError, sqlite3.Error):
        raise StartMistake(
            "A database cannot be used or brought up to date: it is locked by another program, or its disk is full or "
            "read-only. Nothing of yours is lost; free it and start again."
        ) from None
    except OSError as error:
        raise StartMistake(
            f"Mindstage cannot start on {error.filename or 'this disk'}: {error.strerror or 'it cannot be used'}. "
            "Nothing of yours is lost; mend it and start again."
        ) from None
