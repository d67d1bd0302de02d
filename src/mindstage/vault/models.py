"""The keystore: wrapped keys, in a database of their own that no backup of the main one holds.

docs/subsystems/keys.md tells the whole story. Nothing here refers to a row of the main database: the two are separate
files, and the identifiers below are the accounts' and items' own.
"""

from __future__ import annotations

from django.db import models

from mindstage.kit import clock


class Keystore(models.Model):
    """The one row that says which epoch wraps these keys and how often they changed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.PositiveIntegerField()
    generation = models.PositiveBigIntegerField(default=0)
    """Counts every commit that touches keys."""
    forgotten = models.PositiveBigIntegerField(default=0)
    """Counts the commits that destroyed keys: every opening compares it, so that no process reads on from its cache."""
    database_generation = models.PositiveBigIntegerField(default=0)
    """The highest generation of the main database that a commit of this keystore has seen."""
    ledger_length = models.PositiveBigIntegerField(default=0)
    ledger_hash = models.CharField(max_length=64, default="0" * 64)
    """The head of the ledger that was applied to these keys."""
    dirty = models.BooleanField(default=False)
    """Keys died in this epoch: it must turn before what they sealed is beyond everybody's reach."""
    slow_date = models.DateField(default=clock.today)
    """One day a night, never a leap: what ends living things goes by it."""
    rotated_on = models.DateField(default=clock.today)


class BackupKey(models.Model):
    """The key of one backup. Destroyed by the clock, whether or not a newer backup ever worked."""

    id = models.UUIDField(primary_key=True)
    wrapped = models.BinaryField()
    made_on = models.DateField()
    destroy_on = models.DateField()


class ReservedHandle(models.Model):
    """The tag of a handle that was given up or erased, so that nobody can pose as its person for a while."""

    tag = models.BinaryField(max_length=32, primary_key=True)
    until = models.DateField()


class InstanceKey(models.Model):
    """A key of the instance itself, wrapped by the epoch key: `lookup` finds handles, `session` seals sessions,
    `ledger` tags the ledger's entries."""

    name = models.CharField(max_length=20, primary_key=True)
    wrapped = models.BinaryField()


class UserKey(models.Model):
    """One person's key, wrapped by the epoch key. `id` is the account's."""

    id = models.UUIDField(primary_key=True)
    wrapped = models.BinaryField()


class ItemKey(models.Model):
    """The key of one story, character or other item, wrapped by a key derived from epoch key *and* user key.

    Bound to both, a stale copy of this row is noise once the epoch has turned, even while its owner's key lives.
    """

    id = models.UUIDField(primary_key=True)
    owner = models.UUIDField(db_index=True)
    wrapped = models.BinaryField()
