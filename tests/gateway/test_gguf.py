"""A model file's head is read within limits, and a damaged one is only ever 'not a model'."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mindstage.gateway.embedded.gguf import NotGguf, is_gguf, read_metadata
from mindstage.gateway.embedded.tokenizer import UnknownVocabulary, load_tokenizer
from mindstage.gateway.tokens import exact_counter


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def strings(*values: str) -> bytes:
    return struct.pack("<IQ", 8, len(values)) + b"".join(map(text, values))


def gguf(*pairs: bytes, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(pairs)) + b"".join(pairs)


TINY = gguf(
    pair("general.name", 8, text("tiny")),
    pair("numbers", 9, struct.pack("<IQ3f", 6, 3, 1.0, 2.0, 3.0)),
    pair("tokenizer.ggml.model", 8, text("gpt2")),
    pair("tokenizer.ggml.pre", 8, text("smollm")),
    pair("tokenizer.ggml.tokens", 9, strings("a", "b", "ab", "1", "Ġ")),
    pair("tokenizer.ggml.merges", 9, strings("a b")),
)


def write(folder: Path, content: bytes) -> Path:
    path = folder / "tiny.gguf"
    path.write_bytes(content)
    return path


def test_what_is_asked_for_is_read_and_the_rest_passed_over(tmp_path: Path) -> None:
    """Names, numbers and lists come back as they were written."""
    path = write(tmp_path, TINY)
    assert is_gguf(path)
    assert read_metadata(path, keys=("general.name", "tokenizer.ggml.merges", "absent")) == {
        "general.name": "tiny",
        "tokenizer.ggml.merges": ["a b"],
    }
    assert read_metadata(path, keys=("numbers",)) == {"numbers": [1.0, 2.0, 3.0]}


def test_a_vocabulary_counts(tmp_path: Path) -> None:
    """Merged letters are one token, digits stand alone; half a surrogate pair does no harm."""
    count = exact_counter(write(tmp_path, TINY))
    assert [count(text) for text in ("ab", "aab", "11", "ab", "")] == [1, 2, 2, 1, 0]
    assert count("ab\ud800") >= 1


@given(st.integers(min_value=0, max_value=len(TINY) - 1), st.integers(min_value=0, max_value=255), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
def test_a_damaged_head_is_only_ever_not_a_model(tmp_path: Path, place: int, byte: int, cut: bool) -> None:
    """Cut anywhere or with any byte changed, reading ends in a value or in one of two exceptions."""
    harmed = TINY[:place] if cut else TINY[:place] + bytes([byte]) + TINY[place + 1 :]
    path = write(tmp_path, harmed)
    try:
        load_tokenizer(path)
    except UnknownVocabulary:
        pass
    try:
        read_metadata(path, keys=("general.name", "numbers"))
    except NotGguf:
        pass


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GGUF",
        gguf(version=1),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2**63),
        gguf(pair("numbers", 9, struct.pack("<IQ", 6, 2**40))),
        gguf(text("x" * 10)[:8] + b"\xff" * 4),
        gguf(struct.pack("<Q", 2**62)),
    ],
)
def test_an_outlandish_head_costs_no_memory(tmp_path: Path, content: bytes) -> None:
    """Huge counts and lengths are refused before anything is made of them."""
    with pytest.raises(NotGguf):
        read_metadata(write(tmp_path, content), keys=("numbers",))


@pytest.mark.parametrize("name", ["model", "pre"])
def test_an_unknown_rule_is_no_exact_count(tmp_path: Path, name: str) -> None:
    """Then counting stays on the careful side."""
    other = (
        TINY.replace(text("gpt2"), text("bert")) if name == "model" else TINY.replace(text("smollm"), text("othery"))
    )
    with pytest.raises(UnknownVocabulary):
        load_tokenizer(write(tmp_path, other))
