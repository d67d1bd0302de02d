"""Bring stories in from an export. Everything is checked before the first row is written."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from mindstage.accounts.arrivals import begin_arrival, save_arrival
from mindstage.datamap.porting import IN_TRASH, NotUnderstood, Pack, Report, fresh_id
from mindstage.kit import canonical, ids
from mindstage.kit.shapes import fits
from mindstage.stories.editions.data import STORY, TURNS
from mindstage.stories.models import Draft, Segment, Story, Turn
from mindstage.stories.shapes import stage_fits
from mindstage.stories.stage import Stage
from mindstage.stories.trash import start_of
from mindstage.vault.clocks import slow_date

BATCH = 1_000
MOST_SEGMENTS = 20_000
MOST_CHARACTERS = 1_000_000
"""Of one turn's text: more than any narrator writes."""

_UNREADABLE = "text that could not be read where it came from."
_HEAD = {"format": str, "id": str, "title": str, "stage": dict, "route": str, "played_at": str, "segments": list}
_TURN = {"id": str, "segment": str, "position": int, "variant": int, "chosen": bool, "kind": str, "state": str,
         "problem": str, "edited": bool, "text": str}  # fmt: skip
_KNOWN_OF_TURN = {*_TURN, "trashed_at", "client_id"}
_KNOWN_OF_PART = {"format", "story", "turns"}
_KNOWN_OF_HEAD = {*_HEAD, "head", "drafts", "trashed_on"}
_MOST_POSITION, _MOST_VARIANT = 2**31 - 1, 2**15 - 1


@dataclass(slots=True)
class _Checked:
    """A story's head, and where its turns stand."""

    name: str
    head: dict[str, Any]
    parts: list[str]
    segments: dict[str, int] = field(default_factory=dict)
    """Identifier in the archive -> its place in the list of segments."""


def check_stories(pack: Pack) -> None:
    """Read every story to its end. Raises NotUnderstood."""
    for story in _stories(pack):
        if not _is_lost(story.head):
            _check_head(story)
            for _ in _read_turns(pack, story, Report()):  # what there is to say is said when they come in
                pass


def bring_stories(person: uuid.UUID, pack: Pack, report: Report) -> None:
    """Write what `check_stories` has read. Raises KeyGone."""
    for story in _stories(pack):
        report.read |= {story.name, *story.parts}
        if _is_lost(story.head):
            report.not_understood[f"{story.name}: its key was gone where it came from, so there is no text."] += 1
        else:
            _check_head(story)
            _look_for_unknown(story, report)
            _bring(person, pack, story, report)


def _stories(pack: Pack) -> Iterator[_Checked]:
    folders: dict[str, list[str]] = {}
    for name in sorted(name for name in pack.names() if name.startswith("stories/")):
        folders.setdefault(name.rpartition("/")[0], []).append(name)
    for folder, names in folders.items():
        if (name := f"{folder}/story.json") in names:
            head = pack.json(name)
            if not isinstance(head, dict) or head.get("format") != STORY:
                raise _wrong(name)
            yield _Checked(name, head, [part for part in names if part.startswith(f"{folder}/turns-")])


def _is_lost(head: dict[str, Any]) -> bool:
    return head.get("unreadable") is True


def _wrong(name: str) -> NotUnderstood:
    return NotUnderstood(f"The archive’s file {name} is not what it should be, so nothing was brought in.")


def _check_head(story: _Checked) -> None:
    head = story.head
    segments = head.get("segments")
    right = fits(head, _HEAD) and stage_fits(head["stage"]) and _moment(head["played_at"]) and _drafts_fit(head)
    if (
        not right
        or not isinstance(segments, list)
        or not _is_plain(head["route"], 120)
        or len(segments) > MOST_SEGMENTS
    ):
        raise _wrong(story.name)
    for number, segment in enumerate(segments):
        if not _segment_fits(segment, story.segments):
            raise _wrong(story.name)
        story.segments[segment["id"]] = number
    if not _is_named(head.get("head"), story.segments):
        raise _wrong(story.name)


def _segment_fits(segment: Any, known: dict[str, int]) -> bool:
    """A segment comes after the one that it leaves, so that no circle can be told."""
    if not fits(segment, {"id": str, "fork": int}) or segment["id"] in known:
        return False
    parent, fork = segment.get("parent"), segment["fork"]
    return 0 <= fork <= _MOST_POSITION and _is_named(parent, known) and (parent is not None or fork == 0)


def _is_named(segment: Any, known: dict[str, int]) -> bool:
    """Whether it is one of these, or none; a list or an object is neither, and could not be looked for."""
    return segment is None or (isinstance(segment, str) and segment in known)


def _drafts_fit(head: dict[str, Any]) -> bool:
    drafts = head.get("drafts", [])
    return isinstance(drafts, list) and all(
        fits(draft, {"mode": str, "saved_on": str}) and isinstance(draft.get("text"), str | None)
        and _is_plain(draft["mode"], 8) and _day(draft["saved_on"])
        for draft in drafts
    ) and len({draft["mode"] for draft in drafts}) == len(drafts)  # fmt: skip


def _read_turns(pack: Pack, story: _Checked, report: Report) -> Iterator[dict[str, Any]]:
    """Every turn in order; order is what shows, without remembering, that no place has two of a number."""
    last, chosen = (-1, -1, -1), (-1, -1)
    for name in story.parts:
        part = pack.json(name)
        if not isinstance(part, dict) or part.get("format") != TURNS or not isinstance(part.get("turns"), list):
            raise _wrong(name)
        report.look_for_unknown(name, part, _KNOWN_OF_PART)
        for turn in part["turns"]:
            if not _turn_fits(turn, story):
                raise _wrong(name)
            place = (story.segments[turn["segment"]], turn["position"], turn["variant"])
            if place <= last or (turn["chosen"] and place[:2] == chosen):
                raise _wrong(name)
            last = place
            chosen = place[:2] if turn["chosen"] else chosen
            report.look_for_unknown(f"{name}, a turn", turn, _KNOWN_OF_TURN)
            yield turn


def _turn_fits(turn: Any, story: _Checked) -> bool:
    if not isinstance(turn, dict):
        return False
    said = {**turn, "text": ""} if turn.get("text", "") is None else turn
    return (
        fits(said, _TURN)
        and turn["segment"] in story.segments
        and story.head["segments"][story.segments[turn["segment"]]]["fork"] <= turn["position"] <= _MOST_POSITION
        and 0 <= turn["variant"] <= _MOST_VARIANT
        and turn["kind"] in Turn.Kind.values
        and turn["state"] in Turn.State.values
        and _is_plain(turn["problem"], 20)
        and len(said["text"]) <= MOST_CHARACTERS
        and (turn.get("trashed_at") is None or _moment(turn["trashed_at"]) is not None)
    )


def _is_plain(text: str, most: int) -> bool:
    """Whether a column that is not sealed can hold it: a NUL stands in no text of PostgreSQL."""
    return len(text) <= most and "\x00" not in text


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, TypeError, OverflowError):  # the last: in UTC it would be before the first year
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _bring(person: uuid.UUID, pack: Pack, checked: _Checked, report: Report) -> None:
    """One story: its key, its rows in batches, its head last."""
    head = checked.head
    story = Story(pk=fresh_id(head["id"], ids.sequential()), owner_id=person, route=head["route"])
    begin_arrival(story, person=person, report=report)
    stage = _stage(head["stage"], report)
    story.seal(title=head["title"], stage=stage.to_bytes())
    story.played_at = _moment(head["played_at"]) or story.played_at
    save_arrival(story, person=person, lay_in_trash=head.get("trashed_on") is not None, report=report)
    _bring_rows(pack, checked, story, report)
    if (old := _uuid(head["id"])) is not None:
        report.renamed[old] = story.pk
    report.came_in["stories"] += 1


def _bring_rows(pack: Pack, checked: _Checked, story: Story, report: Report) -> None:
    segments = _bring_segments(checked, story)
    waiting: list[Turn] = []
    for turn in _read_turns(pack, checked, report):
        if turn["text"] is None:
            report.not_understood[f"{checked.name}, a turn: {_UNREADABLE}"] += 1
            continue
        waiting.append(_to_row(turn, story, segments, report))
        if len(waiting) >= BATCH:
            Turn.objects.bulk_create(waiting)
            report.came_in["turns"] += len(waiting)
            waiting = []
    Turn.objects.bulk_create(waiting)
    report.came_in["turns"] += len(waiting)
    _bring_drafts(checked, story, report)
    if checked.head.get("head") is not None:
        Story.objects.filter(pk=story.pk).update(head=segments[checked.head["head"]])


def _bring_segments(checked: _Checked, story: Story) -> dict[str, uuid.UUID]:
    names: dict[str, uuid.UUID] = {}
    rows = []
    for segment in checked.head["segments"]:
        names[segment["id"]] = fresh_id(segment["id"], ids.sequential())
        parent = segment.get("parent")
        rows.append(
            Segment(pk=names[segment["id"]], story=story, parent_id=parent and names[parent], fork=segment["fork"])
        )
    Segment.objects.bulk_create(rows, batch_size=BATCH)
    return names


def _to_row(turn: dict[str, Any], story: Story, segments: dict[str, uuid.UUID], report: Report) -> Turn:
    """A turn. A reply that ran while it was exported was interrupted, as far as this instance can tell."""
    state = turn["state"]
    if state == Turn.State.RUNNING:
        state = Turn.State.INTERRUPTED
        report.kept["A reply was being written while the export was made; what it had so far came in."] += 1
    row = Turn(
        pk=fresh_id(turn["id"], ids.sequential()),
        story=story,
        segment_id=segments[turn["segment"]],
        state=state,
        trashed_at=None if turn.get("trashed_at") is None else start_of(slow_date()),
        **{name: turn[name] for name in ("position", "variant", "chosen", "kind", "problem", "edited")},
    )
    if row.trashed_at is not None:
        report.kept[IN_TRASH] += 1
    row.client_id = ids.sequential() if turn.get("client_id") else None
    return row.seal(text=turn["text"])


def _bring_drafts(checked: _Checked, story: Story, report: Report) -> None:
    for draft in checked.head.get("drafts", []):
        if draft.get("text") is None:
            report.not_understood[f"{checked.name}, a draft: {_UNREADABLE}"] += 1
            continue
        Draft(story=story, mode=draft["mode"]).seal(text=draft["text"]).save(force_insert=True)
        report.came_in["drafts"] += 1


def _stage(raw: dict[str, Any], report: Report) -> Stage:
    """The stage; what it was begun from is named anew when that came in as well."""
    raw = {**raw, "source": report.name_anew(raw.get("source", ""))}
    return Stage.from_bytes(canonical.to_bytes(raw))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _look_for_unknown(checked: _Checked, report: Report) -> None:
    """Fields that this program does not know are said, not passed over. Those of turns are seen as they come."""
    name, head = checked.name, checked.head
    report.look_for_unknown(name, head, _KNOWN_OF_HEAD)
    told = canonical.to_bytes(asdict(Stage.from_bytes(canonical.to_bytes(head["stage"]))))
    if told != canonical.to_bytes({"about": "", **head["stage"]}):  # an older program did not write it
        report.not_understood[f"{name}, the stage: fields that this program does not know."] += 1
    for segment in head["segments"]:
        report.look_for_unknown(f"{name}, a branch", segment, {"id", "parent", "fork"})
    for draft in head.get("drafts", []):
        report.look_for_unknown(f"{name}, a draft", draft, {"mode", "saved_on", "text"})
