"""Open an archive from elsewhere without trusting a byte of it: limits are judged before what they limit is unpacked.

Only what its manifest lists is read, only as long as the manifest says, only if its SHA-256 is the manifest's, and the
manifest only if its signature holds. Nothing is ever written under a name that stands in the archive.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO

from mindstage.datamap.porting import NotUnderstood, Report
from mindstage.kit.json_measure import TooDeep, TooMany, measure_json
from mindstage.ledger import signing
from mindstage.rights.packing import FORMAT, MANIFEST, SIGNATURE

MIB = 1024 * 1024
FILES = 100_000
DIRECTORY_BYTES = 32 * MIB
TOTAL_BYTES = 64 * 1024 * MIB
FILE_BYTES = 16 * MIB
"""Of a file that is read whole: a part of a story's turns has some 2 MB, a card at most 5."""
MANIFEST_BYTES = 32 * MIB
RATIO = 200
"""Prose unpacks to some three times its size, the most repetitive story to forty."""
RATIO_FROM = 1 * MIB
TOGETHER = 100
TOGETHER_FROM = 16 * MIB
"""Of all files together: a person's uploads must not buy many times their size of work."""
DEPTH = 6
NAME = 200
JSON_DEPTH = 80
"""A lorebook, which is kept as it came, may have 64 levels, and stands in a file of a material."""
JSON_VALUES = 1_000_000
"""Names and values of one file together: a manifest of 100,000 files has 900,000, a part of turns some 200,000."""

AGE = b"age-encryption.org/"
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")

NO_ARCHIVE = (
    "This file is not an archive that can be opened: it is damaged, cut short, or of another kind. Nothing was brought "
    "in; choose the .zip file as it was downloaded."
)
NOT_OURS = (
    "This archive is not an export of Mindstage: its manifest is missing or not what it should be. Nothing was brought "
    "in; choose the archive as it was downloaded, with all that is in it."
)
CHANGED = "This archive was changed or damaged after it was made: {what}. Nothing was brought in."
TOO_MUCH = "This archive is larger than what is taken in ({what}). Nothing was brought in."
BAD_NAME = "This archive holds a file whose name leads out of it, or is no plain file. Nothing was brought in."
ENCRYPTED = "This archive is encrypted with age. Decrypt it first (`age --decrypt`), then bring in what comes out."


class Archive:
    """An opened and checked archive. Raises NotUnderstood for everything that can be wrong with it."""

    def __init__(self, file: BinaryIO) -> None:
        _refuse_other_kinds(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
            raise NotUnderstood(NO_ARCHIVE) from None
        self._entries = {entry.filename: entry for entry in self._zip.infolist()}
        _check_entries(self._zip.infolist())
        _check_total(self._zip.infolist(), file.seek(0, 2))
        self.key, self._signature, self.manifest = self._read_manifest()
        self._listed: dict[str, dict[str, Any]] = {}
        for line in self.manifest["files"]:
            self._listed[line["path"]] = line
        self.unlisted = sorted(self._entries.keys() - self._listed.keys() - {MANIFEST, SIGNATURE})

    def names(self) -> Iterable[str]:
        """The data files; editions say nothing that they do not."""
        return [name for name, line in self._listed.items() if not line["edition"]]

    def editions(self) -> list[str]:
        return [name for name, line in self._listed.items() if line["edition"]]

    def json(self, name: str) -> Any:
        return parse_json(self.content(name), name)

    def content(self, name: str) -> bytes:
        """A listed file, whole. Raises NotUnderstood when it is not what the manifest says."""
        line = self._listed.get(name)
        if line is None or name not in self._entries:
            raise NotUnderstood(CHANGED.format(what=f"{name} is missing"))
        content = self._unpack(name, most=FILE_BYTES)
        if len(content) != line["bytes"] or hashlib.sha256(content).hexdigest() != line["sha256"]:
            raise NotUnderstood(CHANGED.format(what=f"{name} is not what its manifest says"))
        return content

    def unlisted_content(self, name: str) -> bytes:
        """A file that the manifest does not know."""
        return self._unpack(name, most=FILE_BYTES)

    def check_editions(self) -> None:
        """Whether the files that are not brought in are whole as well. Raises NotUnderstood."""
        for name in self.editions():
            digest = hashlib.sha256()
            for piece in self._pieces(name):
                digest.update(piece)
            if digest.hexdigest() != self._listed[name]["sha256"]:
                raise NotUnderstood(CHANGED.format(what=f"{name} is not what its manifest says"))

    def look_for_unknown(self, report: Report) -> None:
        """Say when the archive's own two files have fields that nobody here knows."""
        report.look_for_unknown(SIGNATURE, self._signature, {"algorithm", "key", "signature"})
        report.look_for_unknown(MANIFEST, self.manifest, {"format", "made_on", "files"})
        for line in self.manifest["files"]:
            report.look_for_unknown(f"{MANIFEST}, a file", line, _LINE)

    def _unpack(self, name: str, *, most: int) -> bytes:
        entry = self._entries.get(name)
        if entry is None:
            raise NotUnderstood(NOT_OURS)
        if entry.file_size > most:
            raise NotUnderstood(TOO_MUCH.format(what=f"{name} has more than {most // MIB} MiB"))
        return b"".join(self._pieces(name))

    def _pieces(self, name: str) -> Iterable[bytes]:
        """Unpack one entry up to the size that its directory announces, which was judged, and not a byte more."""
        entry = self._entries.get(name)
        if entry is None:
            raise NotUnderstood(CHANGED.format(what=f"{name} is missing"))
        left = entry.file_size
        try:
            with self._zip.open(entry) as opened:
                while piece := opened.read(min(MIB, left + 1)):
                    left -= len(piece)
                    if left < 0:
                        raise NotUnderstood(NO_ARCHIVE)
                    yield piece
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error):
            raise NotUnderstood(CHANGED.format(what=f"{name} cannot be unpacked")) from None

    def _read_manifest(self) -> tuple[bytes, dict[str, Any], dict[str, Any]]:
        content = self._unpack(MANIFEST, most=MANIFEST_BYTES)
        signature = parse_json(self._unpack(SIGNATURE, most=MIB), SIGNATURE)
        try:
            key = signing.from_text(signature["key"])
            signed = signing.is_signed(content, signing.from_text(signature["signature"]), key=key)
        except (ValueError, KeyError, TypeError):
            raise NotUnderstood(NOT_OURS) from None
        if not signed:
            raise NotUnderstood(CHANGED.format(what="its manifest does not fit its signature"))
        manifest = parse_json(content, MANIFEST)
        if not _manifest_fits(manifest):
            raise NotUnderstood(NOT_OURS)
        return key, signature, manifest


def parse_json(content: bytes, name: str) -> Any:
    """JSON that was measured before it is parsed. Raises NotUnderstood."""
    try:
        text = content.decode()
        measure_json(text, deepest=JSON_DEPTH, most=JSON_VALUES)
        value = json.loads(text, parse_constant=_refuse_constant)
        if _HALF.search(text):  # a whole sign may be written in two halves as well
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except TooDeep:
        raise NotUnderstood(TOO_MUCH.format(what=f"{name} is nested too deeply")) from None
    except TooMany:
        raise NotUnderstood(TOO_MUCH.format(what=f"{name} holds more than {JSON_VALUES:,} values")) from None
    except UnicodeEncodeError:
        raise NotUnderstood(CHANGED.format(what=f"{name} holds half of a sign, which no text can")) from None
    except (ValueError, RecursionError):
        raise NotUnderstood(CHANGED.format(what=f"{name} is no JSON")) from None


def _refuse_constant(_name: str) -> Any:
    raise ValueError


def _refuse_other_kinds(file: BinaryIO) -> None:
    """Judge the size of the directory before it is read, and name what people may mistake for an export."""
    file.seek(0)
    if file.read(len(AGE)) == AGE:
        raise NotUnderstood(ENCRYPTED)
    end = file.seek(0, 2)
    file.seek(max(0, end - 65_557 - 76))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + 22 > len(tail):
        raise NotUnderstood(NO_ARCHIVE)
    (size,) = struct.unpack_from("<I", tail, at + 12)
    after = end - len(tail) + at  # where the directory ends
    if at >= 76 and tail[at - 20 : at - 16] == b"PK\6\7":  # the form for large archives, where zipfile looks for it
        after -= 76
        (told,) = struct.unpack_from("<Q", tail, at - 12)
        (size,) = struct.unpack_from("<Q", tail, at - 36)
        if tail[at - 76 : at - 72] != b"PK\6\6" or told != after:
            raise NotUnderstood(NO_ARCHIVE)
    if size > min(DIRECTORY_BYTES, after) or _count_entries(file, after - size, size) > FILES:
        raise NotUnderstood(TOO_MUCH.format(what=f"more than {FILES:,} files"))


def _count_entries(file: BinaryIO, at: int, size: int) -> int:
    """How many entries a directory really has: the number beside it may be anything, and each costs memory."""
    file.seek(at)
    return file.read(size).count(b"PK\1\2")


def _check_total(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Many small files may be a bomb together."""
    total = sum(entry.file_size for entry in entries)
    if total > TOTAL_BYTES:
        raise NotUnderstood(TOO_MUCH.format(what="more than 64 GiB unpacked"))
    if total > TOGETHER_FROM and total > TOGETHER * size:
        raise NotUnderstood(TOO_MUCH.format(what="it unpacks to more than 100 times its size"))


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > FILES:
        raise NotUnderstood(TOO_MUCH.format(what=f"more than {FILES:,} files"))
    seen: set[str] = set()
    ends = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        _check_name(entry, seen)
        if entry.header_offset < ends:
            raise NotUnderstood(NO_ARCHIVE)  # two entries share bytes: a bomb without nesting
        ends = entry.header_offset + 30 + entry.compress_size
        if entry.file_size > RATIO_FROM and entry.file_size > RATIO * max(1, entry.compress_size):
            raise NotUnderstood(TOO_MUCH.format(what="a file unpacks to more than 200 times its size"))


def _check_name(entry: zipfile.ZipInfo, seen: set[str]) -> None:
    """Plain files under plain names. The name as it stands in the archive, which zipfile cuts at a NUL."""
    name = entry.orig_filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    plain = kind in (0, stat.S_IFREG) and not entry.flag_bits & 0x1 and not entry.is_dir()
    if not plain or len(name) > NAME or name.count("/") >= DEPTH or not _NAME.fullmatch(name):
        raise NotUnderstood(BAD_NAME)
    if name.lower() in seen:
        raise NotUnderstood(NO_ARCHIVE)
    seen.add(name.lower())


_LINE = {"path": str, "bytes": int, "sha256": str, "edition": bool}


def _manifest_fits(manifest: Any) -> bool:
    if (
        not isinstance(manifest, dict)
        or manifest.get("format") != FORMAT
        or not isinstance(manifest.get("files"), list)
    ):
        return False
    paths = [line.get("path") for line in manifest["files"] if isinstance(line, dict)]
    return len(set(map(str, paths))) == len(manifest["files"]) and all(_line_fits(line) for line in manifest["files"])


def _line_fits(line: Any) -> bool:
    return all(isinstance(line.get(name), kind) for name, kind in _LINE.items())
