"""Moments and spans of time in words, as the authors of cards know them (the forms of moment.js, in English). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June",
          "July", "August", "September", "October", "November", "December")  # fmt: skip

# Both keep a hostile card's work small: no honest format or date is longer.
LONGEST_FORMAT = 200
LONGEST_MOMENT = 60

_MARK = re.compile(
    r"\[([^\]]{0,200})\]|YYYY|YY|Q|MMMM|MMM|MM|M|DDDD|DDD|Do|DD|D|dddd|ddd|dd|d|E"
    r"|HH|H|hh|h|mm|m|ss|s|A|a|ZZ|Z|X|LTS|LT|LLLL|LLL|LL|L"
)
_WRITTEN = ("%B %d, %Y", "%B %d, %Y %I:%M %p", "%A, %B %d, %Y %I:%M %p", "%m/%d/%Y")


def clock_time(moment: datetime) -> str:
    """3:04 PM"""
    return f"{_hour(moment)}:{moment:%M} {'PM' if moment.hour >= 12 else 'AM'}"


def long_date(moment: datetime) -> str:
    """November 24, 2026"""
    return f"{MONTHS[moment.month - 1]} {moment.day}, {moment.year}"


def weekday(moment: datetime) -> str:
    return WEEKDAYS[moment.weekday()]


def formatted(moment: datetime, wanted: str) -> str:
    """The moment in a format of moment.js; of a format longer than `LONGEST_FORMAT` only the beginning."""
    return _MARK.sub(lambda mark: _written(moment, mark), wanted[:LONGEST_FORMAT])


def _written(moment: datetime, mark: re.Match[str]) -> str:
    return mark[1] if mark[1] is not None else _MARKS[mark[0]](moment)


def read_moment(text: str, *, like: datetime) -> datetime | None:
    """A moment that an author or another macro wrote; without a zone it is in that of `like`. None: it is none."""
    text = " ".join(text[: LONGEST_MOMENT + 1].split())
    if len(text) > LONGEST_MOMENT:
        return None
    for read in (datetime.fromisoformat, *(_by(form) for form in _WRITTEN)):
        try:
            moment = read(text)
        except (ValueError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=like.tzinfo)
    return None


def _by(form: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, form)  # noqa: DTZ007 - the caller gives it its zone


def span(length: timedelta) -> str:
    """How long, in words: "a few seconds", "3 hours", "a day". A negative span is as long as a positive one."""
    seconds = abs(length.total_seconds())
    for most, unit, one, many in _SPANS:
        number = int(seconds / unit + 0.5)
        if number <= most:
            return one if number <= 1 else many.format(number)
    raise AssertionError


def apart(length: timedelta) -> str:
    """How far ahead, or ago: "in 3 hours", "a day ago"."""
    return f"in {span(length)}" if length > timedelta(0) else f"{span(length)} ago"


_DAY = 86_400
_SPANS = (
    (44, 1, "a few seconds", "a few seconds"),
    (44, 60, "a minute", "{} minutes"),
    (21, 3_600, "an hour", "{} hours"),
    (25, _DAY, "a day", "{} days"),
    (10, 30.436875 * _DAY, "a month", "{} months"),
    (float("inf"), 365.2425 * _DAY, "a year", "{} years"),
)


def _hour(moment: datetime) -> int:
    return (moment.hour + 11) % 12 + 1


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _offset(moment: datetime, between: str) -> str:
    plain = f"{moment:%z}"[:5] or "+0000"
    return f"{plain[:3]}{between}{plain[3:]}"


_MARKS: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda at: f"{at.year:04}",
    "YY": lambda at: f"{at.year % 100:02}",
    "Q": lambda at: str((at.month + 2) // 3),
    "MMMM": lambda at: MONTHS[at.month - 1],
    "MMM": lambda at: MONTHS[at.month - 1][:3],
    "MM": lambda at: f"{at.month:02}",
    "M": lambda at: str(at.month),
    "DDDD": lambda at: f"{at.timetuple().tm_yday:03}",
    "DDD": lambda at: str(at.timetuple().tm_yday),
    "Do": lambda at: _ordinal(at.day),
    "DD": lambda at: f"{at.day:02}",
    "D": lambda at: str(at.day),
    "dddd": weekday,
    "ddd": lambda at: weekday(at)[:3],
    "dd": lambda at: weekday(at)[:2],
    "d": lambda at: str(at.isoweekday() % 7),
    "E": lambda at: str(at.isoweekday()),
    "HH": lambda at: f"{at.hour:02}",
    "H": lambda at: str(at.hour),
    "hh": lambda at: f"{_hour(at):02}",
    "h": lambda at: str(_hour(at)),
    "mm": lambda at: f"{at.minute:02}",
    "m": lambda at: str(at.minute),
    "ss": lambda at: f"{at.second:02}",
    "s": lambda at: str(at.second),
    "A": lambda at: "PM" if at.hour >= 12 else "AM",
    "a": lambda at: "pm" if at.hour >= 12 else "am",
    "ZZ": lambda at: _offset(at, ""),
    "Z": lambda at: _offset(at, ":"),
    "X": lambda at: str(int(at.timestamp())),
    "LTS": lambda at: f"{_hour(at)}:{at:%M:%S} {'PM' if at.hour >= 12 else 'AM'}",
    "LT": clock_time,
    "L": lambda at: f"{at.month:02}/{at.day:02}/{at.year:04}",
    "LL": long_date,
    "LLL": lambda at: f"{long_date(at)} {clock_time(at)}",
    "LLLL": lambda at: f"{weekday(at)}, {long_date(at)} {clock_time(at)}",
}
