"""The keystore: wrapped keys, in a database of their own that no backup of the main one holds.

docs/subsystems/keys.md tells the whole story. Nothing here refers to a row of the main database: the two are separate
files, and the identifiers below are the accounts' and items' own.
"""

from __future__ import annotations

from django.db import models


class Keystore(models.Model):
    """The one row that says which epoch wraps these keys and how often they changed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.PositiveIntegerField()
    generation = models.PositiveBigIntegerField(default=0)
    """Counts every commit that touches keys."""
    forgotten = models.PositiveBigIntegerField(default=0)
    """Counts the commits that destroyed keys: every opening compares it, so that no process reads on from its cache."""


class InstanceKey(models.Model):
    """A key of the instance itself, wrapped by the epoch key: `lookup` finds handles, `session` seals sessions."""

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
