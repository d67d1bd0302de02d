"""Mistakes of the set-up: one clear sentence, exit code 2, and nothing touched."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from system.program import CHEAP, Program

pytestmark = pytest.mark.system


@pytest.fixture(autouse=True)
def forked(bare_program: Program) -> None:
    """Thirty refusals: only the first of them, of a port that is taken, meets an interpreter of its own."""
    bare_program.forked = True


@pytest.fixture
def used(bare_program: Program, made_once: Path) -> Program:
    """An instance that was started once and has data."""
    shutil.copytree(made_once, bare_program.folder)
    return bare_program


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of an instance after its first start."""
    tests = Path(__file__).parent.parent
    environ = {"MINDSTAGE_APPLICATION": "system.bare_application:application", "PYTHONPATH": str(tests)}
    program = Program(tmp_path_factory.mktemp("made") / "instance", environ).start()
    assert program.stop() == 0
    return program.folder


def refused(program: Program, *arguments: str, says: str) -> None:
    """The start is refused with one line that holds `says`, and every byte and mode is as before."""
    (program.folder).mkdir(exist_ok=True)
    (program.folder / "mindstage.toml").write_text(program.toml)
    before = snapshot(program.folder)
    done = program.run("serve", *(arguments or ("--port", "0")))
    assert done.returncode == 2, done.stdout
    assert says in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert snapshot(program.folder) == before


def snapshot(folder: Path) -> dict[str, tuple[int, str]]:
    """Path -> mode and hash of everything in a folder."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in folder.rglob("*")
    }


def test_port_taken(bare_program: Program) -> None:
    """A taken port is found before the data folder is made."""
    bare_program.forked = False
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused(bare_program, "--port", str(port), says=f"Port {port} on 127.0.0.1 is taken")


@pytest.mark.parametrize("host", ["192.0.2.1", f"{'x' * 64}.invalid"])
def test_foreign_address(bare_program: Program, host: str) -> None:
    """An address that is not this machine's, or a name that no machine can have, is named as such."""
    refused(bare_program, "--host", host, "--port", "0", says="not one of this machine")


def test_folder_that_is_a_file(bare_program: Program) -> None:
    """A data folder that cannot be one is refused."""
    bare_program.folder.mkdir()
    (bare_program.folder / "data").write_text("a file")
    refused(bare_program, says="is not a folder")


@pytest.mark.parametrize("name", ["data", "keys"])
def test_folder_that_cannot_be_written_to(used: Program, name: str) -> None:
    """A folder on a disk that lets nobody write, or without the right to: it is named, and all is as it was."""
    used.before = read_only(used.folder / name)
    refused(used, says=f"{used.folder / name} cannot be written to")


def read_only(folder: Path) -> tuple[str, ...]:
    """A command to put before another: for that one alone, nothing can be written in the folder.

    Taking the right away does not keep root from writing, so root mounts it read-only where nobody else sees it.
    """
    if os.geteuid() != 0:
        return ("sh", "-c", 'chmod 0500 "$0"; "$@"; code=$?; chmod 0700 "$0"; exit $code', str(folder))
    mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    command = ("unshare", "--mount", "sh", "-c", mount, str(folder))
    if subprocess.run([*command, "true"], capture_output=True, timeout=20).returncode != 0:
        pytest.skip("this root may mount nothing")
    return command


def test_folder_that_cannot_be_made(bare_program: Program) -> None:
    """Where the system lets nobody make a folder, root included, the start is refused and makes no keys either."""
    refused(bare_program, "--data", "/proc/mindstage", "--port", "0", says="/proc/mindstage cannot be")
    assert not bare_program.keys.exists()


def test_keys_inside_data(bare_program: Program) -> None:
    """A root key inside the data folder is refused, with the reason."""
    inside = bare_program.data / "keys"
    refused(bare_program, "--keys", str(inside), "--port", "0", says="every copy of the data would carry it")


def test_root_key_copied_into_data(used: Program) -> None:
    """A root key that was copied into the data folder is refused too."""
    shutil.copy(used.keys / "root.key", used.data / "root.key")
    refused(used, says="inside the data folder")


@pytest.mark.parametrize("how", ["with its folder", "deep down", "by a link"])
def test_root_key_brought_into_data(used: Program, how: str) -> None:
    """Nor may a copy of the keys folder lie there, or the file that the root key is a link to."""
    if how != "by a link":
        shutil.copytree(used.keys, used.data / ("keys" if how == "with its folder" else "models/old/config/keys"))
    else:
        (used.keys / "root.key").rename(used.data / "moved")
        (used.keys / "root.key").symlink_to(used.data / "moved")
    refused(used, says="inside the data folder")


@pytest.mark.parametrize("file", ["data/mindstage.lock", "data/database/mindstage.sqlite3", "data/ledger/ledger.jsonl"])
def test_file_that_is_a_folder(used: Program, file: str) -> None:
    """What stands where a file of ours should be is named, and left alone."""
    (used.folder / file).unlink()
    (used.folder / file).mkdir()
    refused(used, says=f"{used.folder / file} is not a file")


def test_root_key_missing(used: Program) -> None:
    """Without its root key an instance with data is not given a new one."""
    (used.keys / "root.key").unlink()
    refused(used, says="The root key is missing")


def test_keys_folder_missing(used: Program) -> None:
    """Without its keys folder an instance with data is not given a new one."""
    shutil.rmtree(used.keys)
    refused(used, says="The root key is missing")


def test_epoch_file_missing(used: Program) -> None:
    """A missing epoch file is named, when the escrow holds none either."""
    (used.keys / "epoch.json").unlink()
    (used.keys.with_name(f"{used.keys.name}-escrow") / "epoch.json").unlink()
    refused(used, says="epoch file is missing")


def test_epoch_file_without_a_key(used: Program) -> None:
    """An epoch file that holds no key is none."""
    (used.keys / "epoch.json").write_text('{"format": 1, "slots": {}, "pin": {"length": 0, "hash": ""}}')
    refused(used, says="cannot be read as an epoch file")


def test_root_key_of_another_instance(used: Program) -> None:
    """A root key that does not open the epoch file is refused."""
    (used.keys / "root.key").write_text(f"mindstage-root-key-1\n{'ab' * 32}\n")
    refused(used, says="does not belong to this epoch file")


def test_root_key_that_is_none(used: Program) -> None:
    """A file that is not a root key is refused."""
    (used.keys / "root.key").write_text("hello")
    refused(used, says="cannot be read as a root key")


def test_keys_folder_of_another_instance(used: Program, tmp_path: Path) -> None:
    """Root key and epoch file that fit each other but not this keystore are refused."""
    other = Program(tmp_path / "other", used.environ).start()
    other.stop()
    shutil.copytree(other.keys, used.keys, dirs_exist_ok=True)
    refused(used, says="belongs to another instance")


@pytest.mark.parametrize("shared", ["keys", "escrow"])
def test_keys_that_another_instance_uses(used: Program, tmp_path: Path, shared: str) -> None:
    """`--data` alone leaves the keys where the first instance has them: two on one epoch file would end one of them.

    The first that turned its epoch would take the other's key out of file and escrow, and with it every story.
    """
    own = tmp_path / "second"
    used.environ |= {"MINDSTAGE_ESCROW": str(used.keys.with_name("keys-escrow"))}
    keys = used.keys if shared == "keys" else own / "keys"
    refused(used, "--data", str(own / "data"), "--keys", str(keys), "--port", "0", says="belongs to another instance")
    assert not own.exists()
    assert used.start().stop() == 0


def test_a_first_start_that_was_cut_off_goes_on(bare_program: Program) -> None:
    """Root key and epoch file without a keystore, as a crash leaves them, are taken up by the next start."""
    bare_program.start().stop()
    before = (bare_program.keys / "epoch.json").read_bytes()
    shutil.rmtree(bare_program.data)
    shutil.rmtree(bare_program.keys.with_name("keys-escrow"))
    (bare_program.keys / "escrow.made").unlink()
    bare_program.start().stop()
    assert (bare_program.keys / "epoch.json").read_bytes() == before


@pytest.mark.parametrize("file", ["database/mindstage.sqlite3", "keystore/keystore.sqlite3"])
def test_schema_newer_than_the_program(used: Program, file: str) -> None:
    """A database that a newer Mindstage has migrated is not opened."""
    with sqlite3.connect(used.data / file) as database:
        database.execute("INSERT INTO django_migrations VALUES (9999, 'stories', '0999_of_tomorrow', '2027-01-01')")
    database.close()
    refused(used, says="newer Mindstage")


def test_keystore_lost(used: Program) -> None:
    """Accounts without their keystore are not given new keys, which could not open them."""
    with sqlite3.connect(used.data / "database" / "mindstage.sqlite3") as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(accounts_user)")]
        database.execute(f"INSERT INTO accounts_user VALUES ({', '.join('?' * len(columns))})", ["1"] * len(columns))
    database.close()
    (used.data / "keystore" / "keystore.sqlite3").unlink()
    refused(used, says="The keystore is missing")


def test_database_that_is_none(used: Program) -> None:
    """A file that is no database is refused and left alone."""
    (used.data / "database" / "mindstage.sqlite3").write_bytes(b"not a database at all, only some words" * 99)
    refused(used, says="cannot be read as a database")


def test_database_server_that_does_not_answer(used: Program) -> None:
    """A server that is away is one sentence, and soon: not half a minute of tries that each say why they failed."""
    used.environ |= {"MINDSTAGE_DATABASE_URL": "postgresql://ada:planted@127.0.0.1:1/none"}
    refused(used, says="does not answer")


def test_two_servers_on_one_folder(used: Program) -> None:
    """A second server on the same data folder is refused."""
    used.start()
    done = used.run("serve", "--port", "0")
    assert done.returncode == 2
    assert "already running" in done.stdout
    assert used.get("/healthz")[0] == 200


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("host = ", "is not valid TOML"),
        ('colour = "red"', "does not know: colour"),
        ('stall_seconds = "soon"', "The setting stall_seconds cannot be"),
        ('[[provider]]\nid = "x"\nbase_url = "ftp://x"', "needs a base_url"),
    ],
)
def test_configuration_mistake(bare_program: Program, toml: str, says: str) -> None:
    """A mistake in mindstage.toml is named in one sentence."""
    bare_program.toml = toml
    refused(bare_program, says=says)


@pytest.mark.parametrize(
    "command",
    [("backup",), ("night",), ("work",), ("import", "a.png", "--user", "ada"), ("import-data", "a", "--user", "b")],
)
def test_a_command_where_nothing_was_started(tmp_path: Path, command: tuple[str, ...]) -> None:
    """One sentence and code 2, as for a server, and no folder is made."""
    instance = Program(tmp_path / "instance", forked=True)
    done = instance.run(*command)
    assert done.returncode == 2
    assert "There is no instance here yet" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert {path.name for path in instance.folder.iterdir()} == {"mindstage.toml"}


@pytest.mark.parametrize("file", ["keystore/keystore.sqlite3", "database/mindstage.sqlite3"])
def test_a_worker_beside_a_locked_database(used: Program, file: str) -> None:
    """It says so in a sentence and ends; `mindstage serve` starts it again in a while."""
    used.environ |= CHEAP | {"DJANGO_SETTINGS_MODULE": "impatient_settings"}
    with closing(sqlite3.connect(used.data / file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = used.run("work")
        other.execute("ROLLBACK")
    assert (done.returncode, len(done.stdout.splitlines())) == (2, 1), done.stdout
    assert "locked by another program" in done.stdout


def test_next_steps_are_told_as_they_are_typed(tmp_path: Path) -> None:
    """A script of the repository says how it is called; and without a command all of them are listed."""
    instance = Program(tmp_path / "instance", {"MINDSTAGE_CALLED": "bin/mindstage"})
    for command, says in ((("backup",), "start it once with `bin/mindstage serve`"), ((), "usage: bin/mindstage")):
        assert says in instance.run(*command).stdout
    assert "  restore " in instance.run().stdout
