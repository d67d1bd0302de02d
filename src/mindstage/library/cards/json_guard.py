"""JSON from strangers: measured before it is parsed, and searched for what no store or page should meet."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from mindstage.kit.json_measure import TooDeep, TooMany, measure_json
from mindstage.library.cards import limits
from mindstage.library.cards.refusal import CardRefused, refusal

_UNWANTED = re.compile("[\x00\ud800-\udfff]")
_BIG = 1 << 63

# The only names that a refusal may show: those of the card formats. Any other name in a file is its author's text.
FIELD_NAMES = frozenset(
    """spec spec_version data name nickname description personality scenario first_mes mes_example creator_notes
    system_prompt post_history_instructions alternate_greetings group_only_greetings tags creator character_version
    character_book extensions assets source creator_notes_multilingual creation_date modification_date entries keys
    secondary_keys content comment insertion_order enabled constant selective case_sensitive use_regex id priority
    position char_name char_persona world_scenario char_greeting example_dialogue avatar metadata""".split()  # noqa: SIM905
)


def load_object(data: bytes) -> dict[str, Any]:
    """Parse `data` (UTF-8, at most 5 MiB) to a JSON object.

    Raises CardRefused: too large, not UTF-8, deeper than 64 levels, more than 200,000 values, no JSON, NaN, infinities,
    numbers beyond 64 bits, more than 2 MB of text, NUL characters or lone surrogates.
    """
    if len(data) > limits.JSON_BYTES:
        raise refusal("The card’s JSON is larger than 5 MiB.", "Import a smaller version of the card.")
    text = _decode(data)
    _measure(text)
    value = _parse(text)
    if not isinstance(value, dict):
        raise refusal("The JSON is not a character card: a card is an object in braces.")
    _search(value)
    return value


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    raise refusal("The card’s text is not valid UTF-8.", "Save it as UTF-8, or export the card again.")


def _measure(text: str) -> None:
    try:
        measure_json(text, deepest=limits.JSON_DEPTH, most=limits.JSON_VALUES)
        return
    except TooDeep:
        what, do = "The card’s JSON is nested deeper than 64 levels.", "Ask the card’s maker for another copy."
    except TooMany:
        what, do = "The card’s JSON holds more than 200,000 values.", "Import a smaller version of the card."
    raise refusal(what, do)


def _parse(text: str) -> Any:
    try:
        # Not strict: a raw line break inside a string is read, and a raw NUL is found below with its field.
        return json.loads(text, strict=False, parse_int=_integer, parse_float=_decimal, parse_constant=_constant)
    except CardRefused:
        raise
    except (ValueError, RecursionError):
        pass
    raise refusal("The card’s JSON is broken: it cannot be read to its end.", "Export the card again.")


def _integer(digits: str) -> int:
    if len(digits) <= 20 and -_BIG <= (number := int(digits)) < _BIG:
        return number
    raise refusal("The card holds a number that is too large (beyond 64 bits).")


def _decimal(digits: str) -> float:
    if math.isfinite(number := float(digits)):
        return number
    raise refusal("The card holds a number that is too large to keep.")


def _constant(_name: str) -> NoReturn:
    raise refusal("The card holds NaN or Infinity where a number belongs.")


def _search(card: dict[str, Any]) -> None:
    """Walk all strings, names too: none may hold a NUL or a lone surrogate, and together they have a limit."""
    size = 0
    waiting: list[tuple[Any, str]] = [(card, "")]
    while waiting:
        value, field = waiting.pop()
        if isinstance(value, str):
            size += _weigh(value, field)
        elif isinstance(value, list):
            waiting.extend((item, field) for item in value)
        elif isinstance(value, dict):
            size += sum(_weigh(name, field) for name in value)
            waiting.extend((item, name if name in FIELD_NAMES else field) for name, item in value.items())
    if size > limits.CARD_TEXT_BYTES:
        raise refusal("The card holds more than 2 MB of text.", "Import a smaller version of the card.")


def _weigh(text: str, field: str) -> int:
    if unwanted := _UNWANTED.search(text):
        place = f"Its field “{field}”" if field else "The card"
        kind = "a NUL character" if unwanted[0] == "\0" else "half a character (a lone surrogate)"
        raise refusal(f"{place} holds {kind}.", "Take it out, or ask the card’s maker for another copy.")
    return len(text.encode())
