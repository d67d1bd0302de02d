"""Where an instance lies: where the command line says, else the settings, else the platform's own folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from system.program import Program

pytestmark = pytest.mark.system


def test_the_command_line_says_where(bare_program: Program, tmp_path: Path) -> None:
    """`--data` and `--keys` win over MINDSTAGE_DATA and MINDSTAGE_KEYS, nothing is made where those point, and the
    command that is told to be typed next is for the same instance."""
    places = ("--data", str(tmp_path / "here"), "--keys", str(tmp_path / "secret"))
    bare_program.start(*places)
    assert bare_program.stop() == 0
    assert f"mindstage keys {' '.join(places)} sheet FILE.html" in bare_program.said(), "of this instance"
    assert is_instance(tmp_path / "here", tmp_path / "secret")
    assert not bare_program.data.exists()
    assert not bare_program.keys.exists()


@pytest.mark.parametrize("told", [True, False])
def test_else_the_folders_of_the_platform(bare_program: Program, tmp_path: Path, told: bool) -> None:
    """Without any word it is the user's data folder, and for the keys their configuration folder."""
    home = tmp_path / "home"
    home.mkdir()
    unset = ("MINDSTAGE_DATA", "MINDSTAGE_KEYS", "MINDSTAGE_CONFIG", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
    places = {"XDG_DATA_HOME": home / "things", "XDG_CONFIG_HOME": home / "settings"} if told else {}
    words = [f"{name}={path}" for name, path in ({"HOME": home} | places).items()]
    bare_program.before = ("env", *(word for name in unset for word in ("-u", name)), *words)
    bare_program.start()
    assert bare_program.stop() == 0
    if told:
        assert is_instance(home / "things" / "mindstage", home / "settings" / "mindstage" / "keys")
    else:
        assert is_instance(home / ".local/share/mindstage", home / ".config/mindstage/keys")
    assert {path.name for path in bare_program.folder.iterdir()} == {"mindstage.toml"}


def is_instance(data: Path, keys: Path) -> bool:
    """Whether an instance was begun there, each folder for its owner alone."""
    made = (data / "database" / "mindstage.sqlite3", data / "keystore" / "keystore.sqlite3", keys / "root.key")
    return all(path.is_file() for path in made) and data.stat().st_mode & 0o777 == keys.stat().st_mode & 0o777 == 0o700
