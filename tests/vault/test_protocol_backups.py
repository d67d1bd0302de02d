"""Backups that are old, harmed or hold what was ended; a full disk; a new machine from what is left."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from mindstage.kit import clock
from mindstage.ops import backup as taking
from mindstage.ops.backup import Backup, BackupFailed, back_up, list_backups
from mindstage.ops.disasters import restore_machine
from mindstage.ops.instance import Instance
from mindstage.ops.models import Night
from mindstage.ops.restore import RestoreRefused, choose_copy, replay, restore_database, restore_keystore
from mindstage.ops.ticker import Clock, ring_due
from mindstage.vault import clocks, copies, keys
from mindstage.vault.backup_keys import backup_ends
from mindstage.vault.start_check import Mode
from troubles import no_file_longer_than
from vault import protocol
from vault.household import ANNA, BERT, EVERYBODY, ITEM, SECOND, erase_anna, lose, pass_night, unchanging
from vault.protocol import House, handle_of

pytestmark = pytest.mark.drill


def test_a_new_machine_from_sheet_escrow_copies_and_backups(lived_in: House) -> None:
    """All that the backup had comes back, what was done stays erased, and the old machine is shut out."""
    erase_anna(lived_in)
    pass_night(lived_in)
    old_machine = lived_in.files()
    lose(lived_in, "DKLF")
    with lived_in.time():
        report = restore_machine(handle_of=handle_of)
    assert report.gate.mode is Mode.OPEN
    assert (report.keyless, report.keys_of_ended) == (0, 0)
    assert set(lived_in.read_all()) == {BERT.hex, SECOND.hex}
    pass_night(lived_in)
    lived_in.put(old_machine, "DKLF")
    assert lived_in.start() is Mode.REFUSED


def test_a_new_machine_never_takes_a_backup_newer_than_its_keystore(lived_in: House) -> None:
    """Its rows would have no keys; an older backup is taken."""
    lived_in.run(lambda: back_up(lived_in.configuration))
    newest_copies = [path for folder in copies.copy_folders() for path in folder.glob("*.copy")]
    lived_in.run(lambda: protocol.write(BERT, uuid.uuid4(), uuid.uuid4(), "late"))
    with lived_in.time():
        back_up(lived_in.configuration)
    for folder in copies.copy_folders():
        for path in folder.glob("*.copy"):
            if path not in newest_copies:
                path.unlink()
    lose(lived_in, "DKLF")
    with lived_in.time():
        report = restore_machine(handle_of=handle_of)
    assert report.keyless == 0
    assert set(lived_in.read_all()) == EVERYBODY


def test_the_old_machine_is_shut_out_at_once(lived_in: House) -> None:
    """Not with the next night: both might else go on, and each erase what the other does not know of."""
    old_machine = lived_in.files()
    lose(lived_in, "DKLF")
    with lived_in.time():
        assert restore_machine(handle_of=handle_of).gate.mode is Mode.OPEN
    lived_in.put(old_machine, "DKLF")
    assert lived_in.start() is Mode.REFUSED


def test_a_new_machine_without_the_escrows_file_is_refused_in_words(lived_in: House) -> None:
    """The folder came along and is empty: said before anything is put in place."""
    lose(lived_in, "DKLFS")
    with lived_in.time(), pytest.raises(RestoreRefused, match="The escrow folder holds no epoch file"):
        restore_machine(handle_of=handle_of)
    assert not lived_in.configuration.keystore_file.exists()


def test_a_backup_taken_after_the_copy_that_knows_its_key_is_newer_too(
    lived_in: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night beside it copied the keystore between the backup's key and its snapshot; then the machine was lost."""
    lived_in.run(lambda: back_up(lived_in.configuration))
    snapshot, known = taking._snapshot, set[Path]()

    def take_late(instance: Instance, folder: Path) -> Path:
        copies.write_copy()
        known.update(path for folder in copies.copy_folders() for path in folder.glob("*.copy"))
        protocol.write(BERT, uuid.uuid4(), uuid.uuid4(), "late")
        return snapshot(instance, folder)

    with monkeypatch.context() as patch:
        patch.setattr(taking, "_snapshot", take_late)
        lived_in.run(lambda: back_up(lived_in.configuration))
    for path in [path for folder in copies.copy_folders() for path in folder.glob("*.copy")]:
        if path not in known:
            path.unlink()
    lose(lived_in, "DKLF")
    with lived_in.time():
        report = restore_machine(handle_of=handle_of)
    assert report.keyless == 0
    assert set(lived_in.read_all()) == EVERYBODY


def test_a_backup_that_knows_more_of_the_ledger_than_lies_here_is_not_put_back(lived_in: House) -> None:
    """The ledger was shortened since: nobody can say what was ended, so nothing is put in its place."""
    erase_anna(lived_in)
    lived_in.run(lambda: back_up(lived_in.configuration))
    (newest, *_) = list_backups(lived_in.configuration.backups_dir)
    lived_in.places["L"].write_bytes(b"")
    before = unchanging(lived_in)
    with lived_in.time(), pytest.raises(RestoreRefused, match="This database knows another ledger of erasures"):
        restore_database(newest, handle_of=handle_of)
    assert unchanging(lived_in) == before


def test_a_key_of_a_backup_ends_by_whichever_clock_is_ahead(lived_in: House) -> None:
    """At 30 days it is refused, whether or not a night came by; the day before it opens."""
    (backup,) = list_backups(lived_in.configuration.backups_dir)
    with lived_in.clone(), clock.moved(timedelta(days=30)):
        restore_database(backup, handle_of=handle_of)
    with clock.moved(timedelta(days=31)), pytest.raises(RestoreRefused):
        restore_database(backup, handle_of=handle_of)
    lived_in.skew = 31
    assert lived_in.start() is Mode.OPEN
    assert not backup_ends()


@pytest.mark.parametrize("harm", ["cut", "changed", "renamed"])
def test_a_harmed_backup_is_refused_and_nothing_was_changed(lived_in: House, harm: str) -> None:
    (backup,) = list_backups(lived_in.configuration.backups_dir)
    content = bytearray(backup.path.read_bytes())
    if harm == "changed":
        content[len(content) // 2] ^= 1
    backup.path.write_bytes(content[: len(content) // 2] if harm == "cut" else content)
    if harm == "renamed":
        backup = Backup(backup.path.rename(backup.path.with_name(f"{uuid.uuid4().hex}.backup")))
    before = unchanging(lived_in)
    why = "There is no key" if harm == "renamed" else "was cut short or changed"
    with lived_in.time(), pytest.raises(RestoreRefused, match=f"{why}.* Nothing was changed; take another one"):
        restore_database(backup, handle_of=handle_of)
    assert unchanging(lived_in) == before


@pytest.mark.parametrize("how", ["database", "lost database", "replay", "keystore"])
def test_a_key_of_somebody_ended_keeps_everything_shut(lived_in: House, how: str) -> None:
    """It must not be there; where it is, nothing is put in place, and the next start opens no more than before."""
    old = lived_in.files()
    backup = list_backups(lived_in.configuration.backups_dir)[0]
    erase_anna(lived_in)
    lived_in.run(lambda: keys.create_user_key(ANNA))  # what no program does: a keystore that is another's work
    if how == "keystore":
        lived_in.run(copies.write_copy)
    lived_in.put(old, "D") if how == "replay" else lose(lived_in, {"keystore": "K", "lost database": "D"}.get(how, ""))
    mode = lived_in.start()
    assert mode is {"database": Mode.OPEN, "replay": Mode.RESTORING}.get(how, Mode.REFUSED)
    deed = {
        "replay": lambda: replay(handle_of=handle_of),
        "keystore": lambda: restore_keystore(*choose_copy(), handle_of=handle_of),
    }.get(how, lambda: restore_database(backup, handle_of=handle_of))
    with lived_in.time(), pytest.raises(RestoreRefused, match=r"still holds keys of what the ledger has ended \(1\)"):
        deed()
    assert lived_in.start() is mode


def test_a_full_disk_in_mid_backup_leaves_the_earlier_ones(lived_in: House) -> None:
    """The system itself refuses the last bytes of the sealed file: one sentence, and no half file."""
    folder = lived_in.configuration.backups_dir
    lived_in.run(lambda: protocol.add_turn(ITEM, uuid.uuid4(), "word " * 200_000))  # no other file is as long
    with lived_in.time():
        whole = back_up(lived_in.configuration).path.stat().st_size
    before = set(folder.iterdir())
    refused = pytest.raises(BackupFailed, match="Earlier backups are untouched; make room")
    with lived_in.time(), no_file_longer_than(whole - 1), refused:  # the snapshot is shorter than what seals it
        back_up(lived_in.configuration)
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize("way", ["live", "lost", "copied in"])
def test_an_older_backup_passes_no_extra_night(lived_in: House, way: str) -> None:
    """Its clocks stand as they did when it was taken; those of this machine go on, and the slow date stays."""
    night = [Clock("night", timedelta(days=1), clocks.turn_night)]
    with lived_in.time():
        assert ring_due(night)
        Night.objects.create(ended_on=clock.today())
        backup = back_up(lived_in.configuration)
    old = lived_in.files()
    for _ in range(2):
        lived_in.day += 1
        with lived_in.time():
            assert ring_due(night)
            Night.objects.update(ended_on=clock.today(), shifted=True)
            protocol.write(BERT, uuid.uuid4(), uuid.uuid4(), "later")
    with lived_in.time():
        before, ended = clocks.slow_date(), Night.objects.get().ended_on
        if way == "copied in":
            lived_in.put(old, "D")
            assert replay(handle_of=handle_of).gate.mode is Mode.OPEN
        else:
            if way == "lost":
                lose(lived_in, "D")
            assert restore_database(backup, handle_of=handle_of).gate.mode is Mode.OPEN
        assert ring_due(night) == []
        assert clocks.slow_date() == before
        if way == "live":
            assert vars(Night.objects.get()).items() >= {"ended_on": ended, "shifted": False}.items()
    lived_in.day += 1
    with lived_in.time(), clock.moved(timedelta(seconds=1)):
        assert ring_due(night)
        assert clocks.slow_date() == before + timedelta(days=1)
