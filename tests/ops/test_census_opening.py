"""The attempt of a census: it opens what a key is left for, says so, and opens nothing else."""

from __future__ import annotations

import os
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mindstage.datamap.scanner import Scanner
from mindstage.ops.backup import ENDING as BACKUP
from mindstage.ops.census.hoard import DATABASE, KEYSTORE, keep_copies, list_holdings
from mindstage.ops.census.idents import find_idents
from mindstage.ops.census.opening import Attempt, try_everything
from mindstage.vault import sealing
from mindstage.vault.epoch_file import NAME, EpochFile, wrap_epoch_key, write_epoch_file
from mindstage.vault.root_key import create_root_key, read_root_key
from mindstage.vault.sealed_files import CHUNK, seal_chunks
from mindstage.vault.sealing import derive, place, seal
from mindstage.vault.wrapping import wrap_item_key, wrap_user_key

WORDS = {"ada": "wordofAdaThatIsSealed", "ben": "wordofBenThatIsSealed"}


class Household:
    """An instance's files, laid out by hand: two people with an item and a sealed row each.

    `strangers`: how many keys of others there are from the next turn of the epoch on.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root_key = self._make_root()
        self.people = {name: (uuid.uuid4(), os.urandom(32), uuid.uuid4(), os.urandom(32)) for name in WORDS}
        self.strangers = 0
        self.turn_epoch(1)
        with closing(self._database(DATABASE)) as database:
            database.execute("CREATE TABLE accounts_user (id char(32) PRIMARY KEY, handle BLOB)")
            database.execute("CREATE TABLE stories_story (id char(32) PRIMARY KEY, owner_id char(32), title BLOB)")
            for name, (account, key, item, item_key) in self.people.items():
                handle = seal(derive(key, "text"), name.encode(), place("accounts_user", "handle", account, account))
                title = seal(item_key, WORDS[name].encode(), place("stories_story", "title", item, item))
                database.execute("INSERT INTO accounts_user VALUES (?, ?)", (account.hex, handle))
                database.execute("INSERT INTO stories_story VALUES (?, ?, ?)", (item.hex, account.hex, title))
            database.commit()

    def turn_epoch(self, number: int, *, without: str = "") -> None:
        """Wrap all keys anew under a new epoch key, but those of one person."""
        epoch_key = os.urandom(32)
        for folder in ("keys", "keys-escrow"):
            (self.root / folder).mkdir(exist_ok=True)
            write_epoch_file(
                self.root / folder, EpochFile({number: wrap_epoch_key(epoch_key, number, root=self.root_key)})
            )
        (self.root / KEYSTORE).unlink(missing_ok=True)
        with closing(self._database(KEYSTORE)) as keystore:
            keystore.execute("CREATE TABLE vault_userkey (id char(32) PRIMARY KEY, wrapped BLOB)")
            keystore.execute("CREATE TABLE vault_itemkey (id char(32) PRIMARY KEY, owner char(32), wrapped BLOB)")
            keystore.execute("CREATE TABLE vault_backupkey (id char(32) PRIMARY KEY, wrapped BLOB)")
            keystore.execute("CREATE TABLE vault_instancekey (name varchar(20) PRIMARY KEY, wrapped BLOB)")
            for name, (account, key, item, item_key) in self.people.items():
                if name == without:
                    continue
                keystore.execute(
                    "INSERT INTO vault_userkey VALUES (?, ?)",
                    (account.hex, wrap_user_key(account, key, epoch_key=epoch_key)),
                )
                wrapped = wrap_item_key(item, account, item_key, epoch_key=epoch_key, user_key=key)
                keystore.execute("INSERT INTO vault_itemkey VALUES (?, ?, ?)", (item.hex, account.hex, wrapped))
            for stranger in (uuid.uuid4() for _ in range(self.strangers)):
                wrapped = wrap_user_key(stranger, os.urandom(32), epoch_key=epoch_key)
                keystore.execute("INSERT INTO vault_userkey VALUES (?, ?)", (stranger.hex, wrapped))
            keystore.commit()

    def attempt(self, *hoards: Path) -> Attempt:
        return try_everything(list_holdings(self.root, hoards, scratch=self.root), Scanner(WORDS.values()))

    def _make_root(self) -> bytes:
        (self.root / "keys").mkdir(parents=True, mode=0o700)
        create_root_key(self.root / "keys")
        return read_root_key(self.root / "keys")

    def _database(self, name: Path) -> sqlite3.Connection:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        return sqlite3.connect(self.root / name)


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return Household(tmp_path / "instance")


def test_the_living_are_opened(household: Household) -> None:
    """Both words come out, and the handles tell whose account is whose."""
    attempt = household.attempt()
    assert attempt.words == set(WORDS.values())
    assert attempt.accounts == {name: person[0] for name, person in household.people.items()}
    assert (attempt.values, attempt.opened) == (4, 4)
    account, _, item, _ = household.people["ada"]
    assert attempt.idents_of(account) == {account, item}


def test_a_destroyed_key_is_not_found_in_an_old_keystore_once_the_epoch_has_turned(
    household: Household, tmp_path: Path
) -> None:
    """With the old keystore, the old database and the root key in hand: only the neighbour opens."""
    hoard = keep_copies(household.root, tmp_path / "hoard")
    household.turn_epoch(2, without="ada")
    attempt = household.attempt(hoard)
    assert attempt.words == {WORDS["ben"]}
    assert attempt.tried > attempt.values


def test_an_epoch_that_did_not_turn_is_noticed(household: Household, tmp_path: Path) -> None:
    """A fault of the erasure: the key is gone from the keystore, and its old copy still opens."""
    hoard = keep_copies(household.root, tmp_path / "hoard")
    with closing(sqlite3.connect(household.root / KEYSTORE)) as keystore:
        keystore.execute("DELETE FROM vault_userkey WHERE id = ?", (household.people["ada"][0].hex,))
        keystore.commit()
    assert household.attempt(hoard).words == set(WORDS.values())


def test_an_escrow_that_was_left_behind_is_noticed(household: Household, tmp_path: Path) -> None:
    """A fault of the rotation: the escrow still holds the key of the former epoch."""
    hoard = keep_copies(household.root, tmp_path / "hoard")
    former = (household.root / "keys-escrow" / NAME).read_bytes()
    household.turn_epoch(2, without="ada")
    (household.root / "keys-escrow" / NAME).write_bytes(former)
    assert household.attempt(hoard).words == set(WORDS.values())


def test_each_key_is_expanded_once(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many values stay shut: values times keys is what grows with the square of the people."""
    household.strangers = 300
    household.turn_epoch(2, without="ada")
    expanded = []

    def expand(key: bytes) -> AESGCM:
        expanded.append(key)
        return AESGCM(key)

    sealing.forget_ciphers()
    monkeypatch.setattr(sealing, "AESGCM", expand)
    attempt = household.attempt()
    assert attempt.words == {WORDS["ben"]}
    assert attempt.keys > 600 > sealing.EXPANDED
    assert attempt.tried > 2 * attempt.keys, "two values of hers, each with every key"
    assert len(expanded) < 1.1 * attempt.keys


def test_a_value_under_a_foreign_key_is_opened(household: Household) -> None:
    """A fault of sealing: what was hers lay under his key, and outlives hers."""
    account, _, item, _ = household.people["ada"]
    sealed = seal(household.people["ben"][3], WORDS["ada"].encode(), place("stories_story", "title", item, account))
    with closing(sqlite3.connect(household.root / DATABASE)) as database:
        database.execute("UPDATE stories_story SET title = ? WHERE id = ?", (sealed, item.hex))
        database.commit()
    household.turn_epoch(2, without="ada")
    attempt = household.attempt()
    assert attempt.words == set(WORDS.values())
    assert (attempt.values, attempt.opened) == (4, 3)


def test_a_file_under_a_foreign_key_is_opened(household: Household) -> None:
    """Of a backup whose own key is gone every key is tried on the beginning; one that fits must open all of it."""
    ident, key = uuid.uuid4(), household.people["ben"][1]
    parts = [os.urandom(3 * CHUNK), WORDS["ada"].encode()]
    sealed = b"".join(seal_chunks(parts, key=key, place=b"backup|" + ident.bytes))
    backup = household.root / "data-backups" / f"{ident.hex}{BACKUP}"
    backup.parent.mkdir()
    household.turn_epoch(2, without="ada")
    for content, opened in ((sealed, 1), (sealed[:-CHUNK], 0)):
        backup.write_bytes(content)
        attempt = household.attempt()
        assert (attempt.files, attempt.files_opened) == (1, opened)
        assert (WORDS["ada"] in attempt.words) == bool(opened)


def test_identifiers_that_are_left_are_counted(household: Household) -> None:
    """As text and as bytes, with the column that they stand in."""
    account, _, item, _ = household.people["ada"]
    (household.root / "note").write_bytes(b"..." + account.bytes + str(item).encode())
    found = find_idents(household.root, {account, item})
    assert found["note"] == 2
    assert found[f"{DATABASE}: stories_story.owner_id"] == 1
    assert not find_idents(household.root, {uuid.uuid4()})
