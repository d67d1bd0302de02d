"""A story is a tree of immutable turns, stored as segments. Long story: docs/subsystems/story-tree.md

A *segment* is a run of turns with a fork point: its first turn stands at position `fork`, and what comes before lies in
its parent. A path is the list of segments from the story's head to the root, each cut where the next one forks, so that
the last turns of any path are one or two ranges of one index, however old the branch is.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from mindstage.accounts.models import User
from mindstage.kit import clock, ids
from mindstage.vault.fields import SealedField, SealedRow


class Story(SealedRow):
    """One ongoing fiction. `stage` is JSON: premise, cast, lore, instructions and the name the author plays under."""

    keyed_to: ClassVar[str] = "id"

    id = models.UUIDField(primary_key=True, default=ids.sequential)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="stories", db_index=False)
    """An index below begins with it, as with each reference here that has none of its own: a turn writes fewer."""
    title = SealedField(entry="story")
    stage = SealedField(entry="story")
    head = models.ForeignKey("Segment", null=True, on_delete=models.SET_NULL, related_name="+")
    """The segment whose end is now being played."""
    route = models.CharField(max_length=120, blank=True, default="")
    """Which narrator was chosen for this story; empty: the instance's default."""
    played_at = models.DateTimeField(default=clock.now)
    trashed_on = models.DateField(null=True)
    """By the slow date. A story in the trash is on no page but the trash's, in no prompt, and takes no turn."""
    ending = models.BooleanField(default=False)
    """Its end for good has begun: it cannot be taken back out of the trash. Or its import is not through, and it is
    on no page yet (accounts/arrivals.py)."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["owner", "-played_at"]),
            models.Index(fields=["trashed_on"], condition=Q(trashed_on__isnull=False), name="trashed_stories"),
        ]


class Segment(models.Model):
    """A run of turns: positions from `fork` upwards. `parent` holds what comes before, or null at the root."""

    id = models.UUIDField(primary_key=True, default=ids.sequential)
    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="segments")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="branches")
    fork = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(parent__isnull=False) | Q(fork=0), name="root_begins_at_zero")
        ]


class Turn(SealedRow):
    """One text at one place of the tree. Rows of the same place are its variants; exactly one of them is chosen.

    Nothing overwrites `text`, except that the text of a running reply grows. A reply is its own *run*: one attempt of
    the narrator to write one variant.
    """

    class Kind(models.TextChoices):
        OPENING = "opening"
        DO = "do"
        SAY = "say"
        STORY = "story"
        OOC = "ooc"
        REPLY = "reply"

    class State(models.TextChoices):
        FINISHED = "finished"
        RUNNING = "running"
        STOPPED = "stopped"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    keyed_to: ClassVar[str] = "story_id"

    id = models.UUIDField(primary_key=True, default=ids.sequential)
    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="turns", db_index=False)
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="turns", db_index=False)
    position = models.PositiveIntegerField()
    variant = models.PositiveSmallIntegerField(default=0)
    chosen = models.BooleanField(default=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    text = SealedField(entry="story")
    state = models.CharField(max_length=12, choices=State.choices, default=State.FINISHED)
    problem = models.CharField(max_length=20, blank=True, default="")
    """Of a failed reply: what kind of problem, from the gateway's closed list."""
    edited = models.BooleanField(default=False)
    client_id = models.UUIDField(null=True)
    """Made by the page for each act of its person, so that a form sent twice is one turn."""
    trashed_at = models.DateTimeField(null=True)
    ending = models.BooleanField(default=False, db_default=False)
    """Its end for good has begun: it cannot be taken back out of the trash."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["segment", "position", "variant"], name="one_variant_per_number"),
            models.UniqueConstraint(
                fields=["segment", "position"], condition=Q(chosen=True), name="one_chosen_variant"
            ),
            models.UniqueConstraint(fields=["story", "client_id"], name="one_turn_per_client_id"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["story"], condition=Q(state="running"), name="running_replies"),
            models.Index(fields=["trashed_at"], condition=Q(trashed_at__isnull=False), name="trashed_turns"),
        ]


class Draft(SealedRow):
    """What a person has typed and not yet played, per story and mode."""

    keyed_to: ClassVar[str] = "story_id"

    id = models.UUIDField(primary_key=True, default=ids.sequential)
    story = models.ForeignKey(Story, on_delete=models.CASCADE, related_name="drafts", db_index=False)
    mode = models.CharField(max_length=8)
    text = SealedField(entry="draft")
    saved_on = models.DateField(default=clock.today)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["story", "mode"], name="one_draft_per_mode")]
