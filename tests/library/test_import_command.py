"""`mindstage import FILE --user HANDLE`."""

from __future__ import annotations

from pathlib import Path

import pytest

from library import card_makers as make
from mindstage.accounts.models import User
from mindstage.library.models import Character
from mindstage.ops.commands.import_ import bring
from people import PASSPHRASE, make_person
from system.conftest import bare_program
from system.program import Program

__all__ = ["bare_program"]

IN_THE_INSTANCE = """
from django.conf import settings
from mindstage.accounts.models import User
from mindstage.accounts.sign_up import sign_up
from mindstage.library.characters import list_characters
from mindstage.vault.keyring import open_keyring
open_keyring(settings.MINDSTAGE.keys_dir)
"""
SIGN_UP = f"sign_up(handle='ada', passphrase={PASSPHRASE!r}, age_band='18_plus', owner_link='')"
NAMES = "print([row.name for row in list_characters(User.objects.get().pk)])"


def shell(program: Program, line: str) -> str:
    """What a line of Python prints inside an instance."""
    done = program.run("manage", "shell", "--verbosity", "0", "-c", IN_THE_INSTANCE + line)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def card(tmp_path: Path) -> Path:
    file = tmp_path / "card.png"
    file.write_bytes(make.png_card(make.v2()))
    return file


@pytest.mark.django_db(databases=["default", "keystore"])
def test_a_card_is_brought(vault: None, card: Path) -> None:
    """It comes into the library of the handle, however that is spelled, and of nobody else."""
    ada, _ = make_person("Ada Renn"), make_person("cleo")
    said, code = bring(card, "ada renn")
    assert code == 0
    assert "in their library" in said[0]
    assert not any("Hedda" in sentence for sentence in said)
    assert Character.objects.get().owner_id == ada.pk


@pytest.mark.django_db(databases=["default", "keystore"])
def test_what_cannot_be_brought(vault: None, card: Path, tmp_path: Path) -> None:
    """An unknown handle, a missing file, a folder, a bad card and a frozen account: a sentence each, nothing stored."""
    ada = make_person("ada")
    bad, large = tmp_path / "bad.json", tmp_path / "large.png"
    bad.write_bytes(b"{}")
    large.write_bytes(make.SIGNATURE + b"\0" * (20 * 1024 * 1024))
    for file, handle, words in (
        (card, "nobody", "no account with that handle"),
        (tmp_path / "missing.png", "ada", "cannot be read"),
        (tmp_path, "ada", "cannot be read"),
        (bad, "ada", "not a character card"),
        (large, "ada", "larger than 20 MiB"),
    ):
        said, code = bring(file, handle)
        assert (words in said[0], "othing was imported" in said[0], code) == (True, True, 1)
    User.objects.filter(pk=ada.pk).update(state=User.State.FROZEN)
    assert bring(card, "ada")[1] == 1
    assert Character.objects.count() == 0


@pytest.fixture
def program(bare_program: Program) -> Program:
    """An instance that was started once, with ada on it."""
    bare_program.start()
    shell(bare_program, SIGN_UP)
    return bare_program


@pytest.mark.system
def test_the_command_beside_a_running_program(program: Program, card: Path) -> None:
    """The real command, while the server runs: the character is there, and mistakes have an exit code."""
    done = program.run("import", str(card), "--user", "ada")
    assert (done.returncode, "in their library" in done.stdout) == (0, True)
    assert "['Hedda Quill']" in shell(program, NAMES)
    refused = program.run("import", str(card), "--user", "nobody")
    assert (refused.returncode, "no account" in refused.stdout) == (1, True)


@pytest.fixture
def instance_folder(tmp_path: Path) -> Program:
    return Program(tmp_path / "untouched")


@pytest.mark.system
def test_no_instance_yet(instance_folder: Program, card: Path) -> None:
    """Before the first start there is nobody to bring a card to; nothing is made."""
    done = instance_folder.run("import", str(card), "--user", "ada")
    assert (done.returncode, "no instance here yet" in done.stdout) == (2, True)
    assert not instance_folder.data.exists()
