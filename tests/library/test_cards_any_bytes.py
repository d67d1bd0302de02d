"""Whatever the bytes are, reading a card ends with a card or with CardRefused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from library import card_makers as make
from mindstage.library.cards import Card, CardRefused, read_card
from mindstage.library.cards.json_guard import FIELD_NAMES

VALID = [make.png_card(make.v3(), "ccv3"), make.png_card(make.v2()), make.to_json(make.v3()), make.to_json(make.v1())]

# Time is no promise here: the cores that run the tests may be busy with other things.
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
NAMES = st.sampled_from(sorted(FIELD_NAMES)) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=20
)
SPECS = st.sampled_from(["chara_card_v2", "chara_card_v3", "lorebook_v3", None, 3])


def read_or_refuse(data: bytes) -> Card | None:
    """Read, and let nothing but a refusal pass."""
    with suppress(CardRefused):
        return read_card(data)
    return None


@patiently
@given(st.binary(max_size=400), st.sampled_from([b"", make.SIGNATURE, make.SIGNATURE + make.header(), b"{", b'{"a":"']))
def test_arbitrary_bytes(data: bytes, start: bytes) -> None:
    """Noise, alone or behind a proper start, raises nothing else."""
    read_or_refuse(start + data)


@patiently
@given(st.sampled_from(VALID), st.data())
def test_mutated_cards(valid: bytes, data: st.DataObject) -> None:
    """Bytes that are changed, cut out or put into a valid card raise nothing else."""
    card = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(card) - 1))
        cut = data.draw(st.integers(0, 3))
        card[at : at + cut] = data.draw(st.binary(max_size=4))
    read_or_refuse(bytes(card))


@patiently
@given(VALUES)
def test_any_json(value: Any) -> None:
    """Any JSON, in a file or in a picture, raises nothing else."""
    data = json.dumps(value).encode()
    assert type(read_or_refuse(data)) in (Card, type(None))
    read_or_refuse(make.png(make.chunk(b"tEXt", b"chara\0" + data)))


@patiently
@given(SPECS, st.dictionaries(NAMES, VALUES, max_size=12))
def test_any_fields(spec: Any, fields: dict[str, Any]) -> None:
    """Known fields with any values raise nothing else; what is read is text, and `raw` is the whole object."""
    for card in (
        {"spec": spec, "spec_version": "3.0", "data": fields},
        {"mes_example": "", "char_name": ""} | fields,
        fields,
    ):
        for data in (json.dumps(card).encode(), make.png_card(card) if _is_encodable(card) else b""):
            read = read_or_refuse(data)
            if read:
                assert read.raw == card
                assert all(isinstance(text, str) for text in (read.name, read.description, *read.greetings, *read.tags))


def _is_encodable(card: dict[str, Any]) -> bool:
    try:
        make.to_json(card)
    except UnicodeEncodeError:
        return False
    return True
