"""Raw queries pass Django's cursor by: they give what it gives, and fail as it fails."""

from __future__ import annotations

import contextlib
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from mindstage.vault import raw

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("watched", [False, True], ids=["past the cursor", "watched"])
def test_rows_and_counts(watched: bool) -> None:
    """What a query gives, and how many rows a write touched, whether somebody watches or nobody does."""
    with CaptureQueriesContext(connection) if watched else contextlib.nullcontext():
        assert raw.query("SELECT 1, %s WHERE %s = %s", ["word", 2, 2]) == [(1, "word")]
        assert raw.query("SELECT 1 WHERE %s = %s", [1, 2]) == []
        assert raw.execute("UPDATE stories_story SET head_id = NULL WHERE id = %s", [uuid.uuid4()]) == 0


def test_whoever_watches_sees_the_queries() -> None:
    """Tests that count queries count these too."""
    with CaptureQueriesContext(connection) as asked:
        raw.query("SELECT 1")
    assert [one["sql"] for one in asked] == ["SELECT 1"]


def test_a_refused_write_fails_as_any_other() -> None:
    """The database's errors are Django's, and a transaction that broke takes no further query."""
    with transaction.atomic():
        with pytest.raises(IntegrityError), transaction.atomic():
            raw.execute(
                "INSERT INTO stories_segment (id, story_id, parent_id, fork) VALUES (%s, NULL, NULL, 0)", [uuid.uuid4()]
            )
        assert raw.query("SELECT 1") == [(1,)]
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            raw.query("SELECT 1")
