"""Exports of several people at a time: nobody's takes anything from another's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from mindstage.accounts.models import User
from mindstage.kit import clock
from mindstage.ops.models import Job
from mindstage.rights import export
from mindstage.rights.export_models import Export
from people import make_person
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    """Her export is being written; afterwards the folder is empty again."""
    yield make_person("ada")
    for path in export.folder().glob("*"):
        path.unlink()


def test_two_tabs_get_one_export_a_day(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tab asks while this one has looked and not yet written: one of them is refused, and one is made."""
    make_key, others = export.create_item_key, []

    def meanwhile(item: uuid.UUID, *, owner: uuid.UUID) -> None:
        make_key(item, owner=owner)
        if not others:
            others.append(True)
            export.request_export(owner=ada.pk)

    monkeypatch.setattr(export, "create_item_key", meanwhile)
    with pytest.raises(export.ExportRefused):
        export.request_export(owner=ada.pk)
    assert Export.objects.count() == Job.objects.count() == 1


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
