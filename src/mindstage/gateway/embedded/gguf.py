"""The metadata at the head of a GGUF file, read with limits. Pure but for the file.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Only what is asked for is kept, so that a vocabulary
is not built to learn the name of an architecture; tensors are never touched.
"""

import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO, Final

MAGIC: Final = b"GGUF"
MOST_PAIRS: Final = 4_096
MOST_ITEMS: Final = 2_000_000
LONGEST_STRING: Final = 4_194_304
_MOST_TENSORS: Final = 1_000_000

_STRING: Final = 8
_ARRAY: Final = 9
_NUMBERS: Final = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip


class NotGguf(Exception):
    """Not a GGUF file, or a damaged or outlandish one."""


def is_gguf(path: Path) -> bool:
    """Does the file begin as a GGUF file does? False too when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(4) == MAGIC
    except OSError:
        return False


def read_metadata(path: Path, *, keys: Collection[str]) -> dict[str, Any]:
    """Return those of the named metadata that the file has: numbers, strings, or lists of them. Raises NotGguf."""
    try:
        with path.open("rb") as file:
            return _read(file, set(keys))
    except (OSError, struct.error, UnicodeDecodeError):
        raise NotGguf from None


def _read(file: BinaryIO, wanted: set[str]) -> dict[str, Any]:
    if file.read(4) != MAGIC:
        raise NotGguf
    version, tensors, pairs = struct.unpack("<IQQ", _take(file, 20))
    if version not in (2, 3) or pairs > MOST_PAIRS or tensors > _MOST_TENSORS:
        raise NotGguf
    found: dict[str, Any] = {}
    for _ in range(pairs):
        key = _read_string(file)
        value = _read_value(file, _number(file, "<I"), keep=key in wanted)
        if key in wanted:
            found[key] = value
            if len(found) == len(wanted):
                break
    return found


def _read_value(file: BinaryIO, kind: int, *, keep: bool) -> Any:
    if kind == _STRING:
        return _read_string(file)
    if kind == _ARRAY:
        return _read_array(file, keep=keep)
    if kind not in _NUMBERS:
        raise NotGguf
    return _number(file, _NUMBERS[kind])


def _read_array(file: BinaryIO, *, keep: bool) -> list[Any] | None:
    kind, count = struct.unpack("<IQ", _take(file, 12))
    if count > MOST_ITEMS:
        raise NotGguf
    if kind == _STRING:
        return [_read_string(file) if keep else _take(file, _length(file)) for _ in range(count)]
    if kind not in _NUMBERS:
        raise NotGguf
    form = _NUMBERS[kind]
    raw = _take(file, count * struct.calcsize(form))
    return [number for (number,) in struct.iter_unpack(form, raw)] if keep else None


def _read_string(file: BinaryIO) -> str:
    return _take(file, _length(file)).decode("utf-8")


def _length(file: BinaryIO) -> int:
    length: int = _number(file, "<Q")
    if length > LONGEST_STRING:
        raise NotGguf
    return length


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, _take(file, struct.calcsize(form)))[0]


def _take(file: BinaryIO, size: int) -> bytes:
    taken = file.read(size)
    if len(taken) != size:
        raise NotGguf
    return taken
