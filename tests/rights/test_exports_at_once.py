"""Exports of several people at a time: nobody's takes anything from another's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from mindstage.accounts.models import User
from mindstage.kit import clock
from mindstage.rights import export
from people import make_person
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    """Her export is being written; afterwards the folder is empty again."""
    yield make_person("ada")
    for path in export.folder().glob("*"):
        path.unlink()


def test_an_export_that_is_asked_for_takes_no_other_from_its_worker(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when the worker gives a sign of life between the moment at which another asks and their write."""
    make_story(ada, turns=3)
    ben, listed = make_person("ben"), export.list_files

    def meanwhile(*given: Any) -> Iterator[Any]:
        events = listed(*given)
        yield next(events)
        with clock.moved(timedelta(seconds=-1)):
            export.request_export(owner=ben.pk)
        yield from events

    asked = export.request_export(owner=ada.pk)
    monkeypatch.setattr(export, "list_files", meanwhile)
    export.write_export(asked.pk)
    assert export.find_ready(ada.pk, asked.pk)
