"""Events come out whole, however the bytes were cut on their way."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindstage.gateway.providers.event_stream import EventStream, LineTooLong

CUTS = st.lists(st.integers(min_value=0, max_value=400), max_size=30)
PAYLOADS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20), max_size=10
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
NOISE = st.sampled_from(["", ": a comment", "event: message", "id: 7", "retry: 10", "unknown: x", "data_not: y"])


def cut(whole: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(place, len(whole)) for place in cuts} | {0, len(whole)})
    return [whole[a:b] for a, b in itertools.pairwise(places)]


def feed_all(chunks: list[bytes]) -> list[bytes]:
    events = EventStream()
    return [data for chunk in chunks for data in events.feed(chunk)]


@given(PAYLOADS, ENDS, NOISE, CUTS, st.booleans())
def test_any_cutting_gives_the_same_events(
    payloads: list[str], end: str, noise: str, cuts: list[int], bom: bool
) -> None:
    """Chunks may end in mid-line, between CR and LF, or inside a character: the data is the same."""
    lines = "".join((f"{noise}{end}" if noise else "") + f"data: {payload}{end}{end}" for payload in payloads)
    whole = (b"\xef\xbb\xbf" if bom else b"") + lines.encode() + b": end\n"
    assert feed_all(cut(whole, cuts)) == [payload.encode() for payload in payloads]


@given(st.binary(max_size=300), CUTS)
def test_arbitrary_bytes_never_break_it_and_cutting_does_not_matter(whole: bytes, cuts: list[int]) -> None:
    """Whatever a server sends, the parser stands, and how it was cut makes no difference."""
    assert feed_all(cut(whole + b"\n", cuts)) == feed_all([whole + b"\n"])


def test_data_over_several_lines_is_joined() -> None:
    """Two data lines of one event are one payload with a line break."""
    assert feed_all([b"data: a\ndata:b\ndata\n\n"]) == [b"a\nb\n"]


def test_an_event_without_its_blank_line_is_not_whole() -> None:
    """What was cut off is never taken for an event."""
    assert feed_all([b"data: half\n"]) == []


@pytest.mark.parametrize("chunk", [b"data: " + b"x" * 200, b"data: " + b"x" * 40 + b"\n"])
def test_endless_lines_are_refused(chunk: bytes) -> None:
    """Neither one long line nor many lines of one event can fill the memory."""
    events = EventStream(longest_line=100)
    with pytest.raises(LineTooLong):
        list(map(events.feed, [chunk] * 10))
