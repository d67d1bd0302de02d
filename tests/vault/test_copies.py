"""Copies of the keystore: in two places, opened once before an older one goes, and none of a former epoch kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from mindstage.vault import copies
from mindstage.vault.copies import NoCopy, copy_folders, newest_copies, write_copy
from mindstage.vault.keyring import keyring
from people import make_person

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]


def found() -> list[list[str]]:
    """The names of the copies in either place."""
    return [sorted(path.name for path in folder.glob("*.copy")) for folder in copy_folders()]


def keys() -> dict[int, bytes]:
    ring = keyring()
    return {ring.epoch: ring.epoch_key}


def test_each_lies_in_two_places() -> None:
    """One beside the backups, one beside the escrow, the same bytes; the two newest of an epoch are kept."""
    names = [write_copy().name for _ in range(3)]
    assert found() == [names[-2:], names[-2:]]
    first, second = (folder / names[-1] for folder in copy_folders())
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path, _ in newest_copies(keys())] == [names[-1], names[-1], names[-2], names[-2]]


def test_one_that_does_not_open_costs_no_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read back as it lies there; where it cannot be opened that is an error, and what was there stays."""
    make_person("ada")
    kept = [write_copy().name for _ in range(2)]
    write = copies._write

    def write_half(folder: Path, name: str, sealed: bytes) -> Path:
        return write(folder, name, sealed[: len(sealed) // 2])

    monkeypatch.setattr(copies, "_write", write_half)
    for _ in range(2):
        with pytest.raises(NoCopy):
            write_copy()
    assert all(set(kept) <= set(names) for names in found())
    assert [path.name for path, _ in newest_copies(keys())] == [kept[1], kept[1], kept[0], kept[0]]


def test_while_the_escrow_is_away_there_is_one_place() -> None:
    """And the other is filled again with the next copy after it came back."""
    escrow = settings.MINDSTAGE.escrow_dir
    away = escrow.with_name("away")
    escrow.rename(away)
    name = write_copy().name
    assert found() == [[name], []]
    away.rename(escrow)
    names = [name, write_copy().name]
    assert found() == [names, names[1:]]
