"""How deep and how large JSON from strangers is: counted before a parser climbs it and its values pile up."""

from __future__ import annotations

import re

# Possessive, and an unfinished string matches up to the end: one pass over the text, whatever stands in it.
_TOKEN = re.compile(r'(?s:"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z))|[\[{]|[\]}]|[^\s\[\]{},:"]++')


class TooDeep(Exception):
    """More levels than allowed."""


class TooMany(Exception):
    """More values and names than allowed."""


def measure_json(text: str, *, deepest: int, most: int) -> None:
    """Count levels (at most `deepest`), and values and names together (at most `most`). Raises TooDeep, TooMany.

    What is no JSON is measured as far as it goes: the parser will say so.
    """
    depth = values = 0
    for match in _TOKEN.finditer(text):
        first = text[match.start()]
        if first in "]}":
            depth -= 1
            if depth < 0:
                return
            continue
        values += 1
        depth += first in "[{"
        if depth > deepest:
            raise TooDeep
        if values > most:
            raise TooMany
