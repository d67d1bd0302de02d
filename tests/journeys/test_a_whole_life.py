"""A whole life in a browser: sign up, play, take everything along, delete, wait, hold the receipt; and then somebody
restores a backup of before, and nothing of the person is there."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fakes.provider import Finish, Text, ThreadedFakeProvider
from journeys.conftest import Come
from journeys.visitor import PASSPHRASE, Visitor, prose
from mindstage.datamap.scanner import Scanner
from mindstage.ops.census.places import sweep
from people import PASSPHRASE as NEIGHBOURS_PASSPHRASE
from system.program import Program, provider_toml
from system.visitor import Visitor as Neighbour

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

HANDLE, LINE, REPLY = "marigold-tollkeeper", "I hide the zinc almanac.", "The heronry bell answers."
WORDS = ("marigold-tollkeeper", "zinc almanac", "heronry bell", "Brunhilde Ottery")
NEIGHBOURS_LINE = "I mend the gate quietly."
DAYS = 8
"""Seven of the freeze, and the night after."""
TESTS = Path(__file__).parent.parent


@pytest.fixture
def narrator() -> Iterator[ThreadedFakeProvider]:
    with ThreadedFakeProvider() as provider:
        provider.always(Text(REPLY), Finish())
        yield provider


@pytest.fixture
def house(tmp_path: Path, narrator: ThreadedFakeProvider) -> Iterator[Program]:
    """A program of its own: this journey stops it, lets it age and restores it."""
    toml = provider_toml(narrator.base_url)
    program = Program(tmp_path / "house", {"FAKE_KEY": "key-of-the-fake"}, toml, from_nothing=True).start()
    yield program
    program.kill()


def test_a_whole_life(house: Program, come: Come, tmp_path: Path) -> None:
    """From the sign-up to a restored backup that knows nobody of that name; the neighbour lives on."""
    neighbour = Neighbour(house)
    neighbour.sign_up("ben")
    gate = neighbour.begin("dead-cable")
    neighbour.play(gate, NEIGHBOURS_LINE).to_end()

    visitor = come(house.printed_address)
    play(visitor)
    take_everything_along(visitor, tmp_path / "everything.zip")
    backup = back_up(house)
    (tmp_path / "key.json").write_bytes(house.get("/.well-known/mindstage-signing-key")[1])
    code = delete_the_account(visitor)
    grow_older(house)
    number = fetch_the_receipt(visitor, code, tmp_path / "receipt.json")
    check_elsewhere(tmp_path, number)
    is_refused(visitor)

    assert house.stop() == 0
    restored = house.run("restore", str(backup))
    assert restored.returncode == 0, restored.stdout
    assert re.search(r"1 entry of the ledger replayed, [1-9]\d* rows? cleared", restored.stdout), "they were in it"
    house.start("--port", str(house.port))
    is_refused(visitor)
    assert neighbour.post("/session/new/", {"handle": "ben", "passphrase": NEIGHBOURS_PASSPHRASE}).status == 302
    assert NEIGHBOURS_LINE in neighbour.get(f"/stories/{gate}/")[1]
    assert house.stop() == 0
    nothing_is_left(house, tmp_path / "everything.zip")


def play(visitor: Visitor) -> None:
    """An account, a story under a name of their own, one turn."""
    visitor.sign_up(HANDLE)
    page = visitor.go("/scenarios/a-bell-for-nobody/")
    page.get_by_label("Your name in this story").fill("Brunhilde Ottery")
    visitor.begin(fresh=False)
    assert prose(visitor.play(LINE)) == REPLY


def take_everything_along(visitor: Visitor, file: Path) -> None:
    """*Your data*, the archive behind the passphrase, and the download when it is ready."""
    page = visitor.go("/your-data/")
    page.get_by_role("link", name="Make the archive").click()
    page.get_by_role("button", name="Make the archive").click()
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Go on", exact=True).click()
    page.get_by_role("button", name="Make the archive").click()
    ready = page.get_by_role("link", name="Download")
    expect(ready).to_be_visible(timeout=30_000)
    save(page, ready.click, file)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert any(LINE.encode() in archive.read(name) for name in archive.namelist())


def save(page: Page, click: Callable[[], None], file: Path) -> None:
    with page.expect_download() as downloading:
        click()
    downloading.value.save_as(file)


def back_up(house: Program) -> Path:
    """Beside the running server, while the person lives."""
    taken = house.run("backup")
    assert taken.returncode == 0, taken.stdout
    said = re.search(r"\S+\.backup", taken.stdout)
    assert said
    return Path(said[0])


def delete_the_account(visitor: Visitor) -> str:
    """Asked for with the handle; the code is shown once, and the browser is nobody's afterwards."""
    page = visitor.go("/your-data/")
    page.get_by_role("link", name="Delete my account").click()
    page.get_by_label("Type your handle").fill(HANDLE)
    page.get_by_role("button", name="Freeze now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account is frozen")
    code = page.locator(".claim").inner_text()
    page.goto(f"{visitor.address}/your-data/")
    assert "/session/new/" in page.url
    return code


def grow_older(house: Program) -> None:
    """The freeze and the night after pass, the server being stopped; it goes on in that later time."""
    assert house.stop() == 0
    path = {"PYTHONPATH": str(TESTS)}
    nights = [sys.executable, "-m", "system.pass_nights", str(DAYS)]
    subprocess.run(nights, cwd=house.folder, env=house._environ() | path, check=True, timeout=90)
    house.environ |= {"PYTHONPATH": str(TESTS / "system" / "later"), "DAYS_LATER": str(DAYS)}
    house.start("--port", str(house.port))


def fetch_the_receipt(visitor: Visitor, code: str, file: Path) -> str:
    """With the claim code alone; the page finds it genuine. Returns the number that opens its commitment."""
    page = visitor.go("/your-data/receipt/")
    page.get_by_label("Claim code").fill(code)
    page.get_by_role("button", name="See how far it is").click()
    expect(page.locator(".lede")).to_contain_text("The account was deleted")
    number = page.locator(".claim").inner_text()
    save(page, page.get_by_role("button", name="Download the receipt").click, file)
    visitor.go("/your-data/receipt/check/")
    page.get_by_label("The receipt, as it was downloaded").set_input_files(file)
    page.get_by_role("button", name="Check it").click()
    expect(page.locator("main")).to_contain_text("This receipt is whole")
    return number


def check_elsewhere(folder: Path, number: str) -> None:
    """On a machine that has no instance: genuine, and about this person."""
    asked = ("receipt", "verify", str(folder / "receipt.json"), "--key", str(folder / "key.json"), "--handle", HANDLE)
    checked = Program(folder / "elsewhere").run(*asked, typed=f"{number}\n")
    assert checked.returncode == 0, checked.stdout
    assert "Genuine" in checked.stdout
    assert "The receipt is about this handle." in checked.stdout


def is_refused(visitor: Visitor) -> None:
    """As anybody is who never had an account."""
    visitor.allow(422)
    visitor.log_in(HANDLE)
    expect(visitor.page.locator("main")).to_contain_text("do not belong together")


def nothing_is_left(house: Program, everything: Path) -> None:
    """None of their words in any file in any spelling, and one account: the neighbour's. That the words would be seen
    shows in what they took along."""
    scanner = Scanner(WORDS)
    assert {sighting.word for sighting in scanner.scan(everything.read_bytes())} == set(WORDS)
    looked = sweep(house.folder, scanner)
    assert looked.found == set()
    assert any(name.endswith(".backup") for name in looked.files)
    for file, table in (("database/mindstage", "accounts_user"), ("keystore/keystore", "vault_userkey")):
        with closing(sqlite3.connect(house.data / f"{file}.sqlite3")) as database:
            assert database.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (1,)
