"""The figures of a measurement as a table, each beside what was promised."""

from __future__ import annotations

from typing import Any

PROMISES: dict[tuple[str, int, str], float] = {
    ("latency", 1, "added_first_p50_ms"): 4,
    ("latency", 32, "added_first_p50_ms"): 8,
    ("latency", 32, "added_first_p95_ms"): 25,
    ("latency", 1, "cpu_ms_a_turn"): 8,
    ("latency", 32, "cpu_ms_a_turn"): 8,
    ("held", 0, "cpu_percent_of_a_core"): 80,
    ("held", 0, "memory_mib"): 200,
    ("length", 0, "long_over_short_p50_ms"): 2,
    ("length", 0, "branched_over_short_p50_ms"): 2,
}
"""(section, how many at once, figure) -> at most this."""


def to_table(figures: dict[str, Any]) -> str:
    """A line a figure, with what was promised. `others_percent`: what others took of the machine; 100 is one core."""
    lines = []
    for row in figures["latency"]:
        lines += _section(f"{row['at_once']} at once", "latency", row["at_once"], row)
    lines += _section("streams held", "held", 0, figures["held"])
    lines += _section("length of a story", "length", 0, figures["length"])
    return "\n".join(lines)


def _section(title: str, section: str, at_once: int, row: dict[str, Any]) -> list[str]:
    lines = ["", title]
    for name, value in row.items():
        most = PROMISES.get((section, at_once, name))
        promise = (
            "" if most is None else f"at most {most:g}" + ("" if value is not None and value <= most else "  MISSED")
        )
        lines.append(f"  {name:<28} {value!s:>12}  {promise}".rstrip())
    return lines
