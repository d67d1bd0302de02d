"""What lies in an instance's folder and should not, whatever it says: files of no known kind, and pictures in clear.

A picture holds no word, so that a thumbnail left behind is invisible to a search for words. It is found by its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from mindstage.datamap.checks import OF_FILES
from mindstage.datamap.reading import data_map
from mindstage.ops.census.nights import MARK

_BESIDE: Final = rf"data/(mindstage|worker)\.lock|keys/(night|vault|backup)\.lock|mindstage\.toml|terminal\.log|{MARK}"
"""What holds nothing of anybody's, so that no store accounts for it: locks, and what the census itself laid there."""
_PICTURES: Final = {
    "WebP": re.compile(rb"RIFF.{4}WEBPVP8[ LX]", re.DOTALL),
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR", re.DOTALL),
    "JPEG": re.compile(rb"\xff\xd8\xff[\xe0\xe1\xdb].{2}(JFIF|Exif)", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a"),
    "AVIF": re.compile(rb"ftyp(avif|avis|heic)"),
}


def find_strange_files(names: Iterable[str]) -> set[str]:
    """Those that no store of the data map accounts for; names are paths inside the instance's folder."""
    known = _known_files()
    return {name for name in names if not known.fullmatch(name)}


@cache
def _known_files() -> re.Pattern[str]:
    where = data_map().where
    files = (file for store in where if store.startswith(OF_FILES) for file in where[store])
    return re.compile("|".join(f"(?:{file})" for file in (*files, _BESIDE)))


def find_pictures(content: bytes) -> set[str]:
    """The kinds of pictures that begin somewhere in these bytes."""
    return {kind for kind, head in _PICTURES.items() if head.search(content)}
