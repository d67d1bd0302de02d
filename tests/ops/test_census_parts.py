"""The parts of a census: what makes it void, what its exit code says, and that its words are worth planting."""

from __future__ import annotations

import io
import json
import smtplib
import sqlite3
import threading
import zlib
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
from django.conf import settings
from PIL import Image

from mindstage.datamap import scanner
from mindstage.datamap.scanner import Scanner, Sighting
from mindstage.library.cards import read_card
from mindstage.ops.census import control
from mindstage.ops.census.addresses import name_addresses
from mindstage.ops.census.browser import Browser, Unexpected
from mindstage.ops.census.card import make_card
from mindstage.ops.census.census import take_census
from mindstage.ops.census.control import WAYS, find_blind_spots
from mindstage.ops.census.mailbox import Mailbox
from mindstage.ops.census.narrator import Narrator
from mindstage.ops.census.nights import MARK, NO_CENSUS
from mindstage.ops.census.nights import main as pass_nights
from mindstage.ops.census.people import Resident, each_at_once
from mindstage.ops.census.places import Found, read_columns, sweep
from mindstage.ops.census.remains import UNDECLARED, list_remaining
from mindstage.ops.census.report import CLEAN, FOUND, VOID, Report
from mindstage.ops.census.strange import find_pictures, find_strange_files
from mindstage.ops.census.visit import Visit
from mindstage.ops.census.words import Fate, Planted, Words, make_word
from mindstage.ops.commands.census import run as run_census
from mindstage.ops.mistakes import StartMistake


def test_words_are_worth_planting() -> None:
    """Distinct, of both cases, with accents where allowed, and no packing makes them shorter."""
    words = [make_word() for _ in range(300)]
    assert len(set(words)) == 300
    assert all(len(word) == 16 and not word.isascii() for word in words)
    assert any(word != word.lower() for word in words)
    plain = "".join(make_word(plain=True) for _ in range(300))
    assert plain.isascii()
    assert len(zlib.compress(plain.encode(), 9)) > len(plain) * 0.7


def test_the_scanner_has_no_blind_spot(tmp_path: Path) -> None:
    """Every word is seen in each of the ways in which the control writes it."""
    assert find_blind_spots([make_word() for _ in range(20)], tmp_path / "control") == []


def test_many_words_are_no_blind_spot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scanner unpacks only so many streams of one file; the control of many people spreads its words over more."""
    monkeypatch.setattr(scanner, "_MOST_MEMBERS", 50)
    monkeypatch.setattr(control, "AT_ONCE", 40)
    assert find_blind_spots([make_word() for _ in range(200)], tmp_path / "control") == []


def test_a_blind_scanner_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scanner that only looks at raw bytes fails the control in every packed way."""

    class RawScanner(Scanner):
        def scan(self, content: bytes) -> set[Sighting]:
            return {one for one in super().scan(content) if ">" not in one.way}

    monkeypatch.setattr(control, "Scanner", RawScanner)
    seen = {"as it is", "lower case", "upper case", "utf-16-le", "utf-16-be"}
    assert set(find_blind_spots([make_word()], tmp_path / "control")) == set(WAYS) - seen


def test_exit_codes() -> None:
    """0 when nothing was found, 1 when something was, 2 when it proves nothing, whatever was found."""
    word = Planted("a place", make_word(), Fate.SEALED)
    found = {Found(word.word, "running: a file", "utf-8")}
    assert Report([word]).exit_code == CLEAN == 0
    assert Report([word], found=found).exit_code == FOUND == 1
    assert Report([word], found=found, void=["Because."]).exit_code == VOID == 2
    assert Report([word], found=found).found_slots == {"a place"}
    assert any("running: a file (utf-8)" in line for line in Report([word], found=found).lines())


def test_a_picture_a_strange_file_or_a_problem_is_a_find_too() -> None:
    """What holds no word fails a census as well."""
    word = Planted("a place", make_word(), Fate.SEALED)
    for report in (
        Report([word], pictures={"running: a file (WebP)"}),
        Report([word], strange={"running: a file"}),
        Report([word], problems=["Somebody came back."]),
    ):
        assert report.exit_code == FOUND
        assert any(line.startswith("WRONG: ") for line in report.lines())


def test_pictures_are_known_by_their_kind() -> None:
    """Whatever they show, and wherever in a value they begin."""
    for kind, pillow in (("WebP", "WEBP"), ("PNG", "PNG"), ("JPEG", "JPEG"), ("GIF", "GIF")):
        out = io.BytesIO()
        Image.new("RGB", (40, 40), "olive").save(out, pillow)
        assert find_pictures(b"something before" + out.getvalue()) == {kind}
    assert find_pictures(b"a card, no picture") == set()


def test_files_of_no_known_kind_are_told() -> None:
    """Sealed or not: what no place of the data map accounts for is somebody's copy."""
    known = {
        "data/database/mindstage.sqlite3-wal",
        "keys/epoch.json",
        f"data/exports/{'0f' * 16}.export",
        f"data-backups/{'0f' * 16}.backup",
        "data/models/story.gguf.part",
        "keys/vault.lock",
        "terminal.log",
    }
    strange = {"data/thumbnails/1.webp", "tmp/upload.png", "data/exports/story.html", "home/.cache/x", "keys/old.json"}
    assert find_strange_files(known | strange) == strange


def test_a_column_that_no_model_knows_is_undeclared(tmp_path: Path) -> None:
    """In a table of the program or in one of nobody's, with rows or without; what the framework makes is its own."""
    file = tmp_path / "database"
    with sqlite3.connect(file) as database:
        database.executescript(
            "CREATE TABLE django_migrations (name TEXT); INSERT INTO django_migrations VALUES ('x');"
            "CREATE TABLE stories_story (id TEXT, teaser TEXT); INSERT INTO stories_story VALUES ('1', 'x');"
            "CREATE TABLE somebodys (note TEXT)"
        )
    database.close()
    remaining = {one.column: one.note for one in list_remaining({"database": file})}
    assert {column for column, note in remaining.items() if note == UNDECLARED} == {
        "stories_story.teaser",
        "somebodys.note",
    }
    assert remaining.keys() >= {"django_migrations.name", "stories_story.id"}


def test_no_clock_is_moved_but_in_an_instance_of_a_census(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the mark that a census sets beside the data folder, the nights refuse before they touch anything."""
    monkeypatch.setenv("MINDSTAGE_DATA", str(tmp_path / "data"))
    assert not (tmp_path / MARK).exists()
    assert pass_nights(["1", "40"]) == NO_CENSUS
    assert list(tmp_path.iterdir()) == []


def test_the_mailbox_finds_the_code_of_a_letter() -> None:
    """By the address that it was sent to."""
    with Mailbox() as mailbox, smtplib.SMTP(*mailbox.server_address) as client:
        for address, code in (("ada@example.org", "2b2b-4c4c"), ("ben@example.org", "3d3d-5f5f")):
            letter = f"From: a@example.org\r\nTo: {address}\r\n\r\nYour code: {code}\r\n"
            client.sendmail("a@example.org", [address], letter)
        assert mailbox.code_for("ben@example.org") == "3d3d-5f5f"
        assert len(mailbox.letters) == 2


def test_a_program_that_does_not_start_makes_it_void(tmp_path: Path) -> None:
    """A census that could not be taken is void, says why, and raises nothing."""
    report = take_census(tmp_path, environ={"MINDSTAGE_STALL_SECONDS": "soon"})
    assert report.exit_code == VOID
    assert report.void == [
        f"The program under census did not start; what it said is in {tmp_path / 'instance' / 'terminal.log'}."
    ]


def test_a_server_that_does_not_answer_makes_it_void(tmp_path: Path) -> None:
    """No census is taken on files in its place, and no address stands in what it says."""
    report = take_census(tmp_path, server="postgresql://nobody:secret@127.0.0.1:1/none")
    assert report.exit_code == VOID
    (said,) = report.void
    assert "the database server refused it" in said
    assert "nobody" not in said


def test_on_server_needs_an_instance_on_a_server() -> None:
    with pytest.raises(StartMistake, match="lies on no server"):
        run_census(Namespace(on_server=True, users=2, no_erasure=True), replace(settings.MINDSTAGE, database_url=""))


def test_a_word_across_two_pages_is_found(tmp_path: Path) -> None:
    """Each value of a database is read whole, with an open write-ahead log too."""
    file, word = tmp_path / "some.sqlite3", make_word()
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE letters (id INTEGER, text TEXT, body BLOB)")
    for shift in range(0, 4096, 32):
        database.execute("INSERT INTO letters VALUES (1, ?, NULL)", ["x" * (4000 + shift) + word])
    database.commit()
    values = dict(read_columns(file))
    assert set(values) == {"letters.id", "letters.text", "letters.body"}
    assert values["letters.text"].count(word.encode()) == 128
    assert {found.place for found in sweep(tmp_path, Scanner([word])).found} >= {"some.sqlite3: letters.text"}
    database.close()


def residents(number: int) -> list[Resident]:
    with Narrator() as narrator, Mailbox() as mailbox:
        visits = [Visit(port=1, words=Words(), narrator=narrator, mailbox=mailbox) for _ in range(number)]
    return [Resident(visit, leaves=False) for visit in visits]


def test_each_of_several_visitors_gets_the_reply_that_was_planted_for_them() -> None:
    """However many speak with the one narrator at a time."""
    with Narrator() as narrator:

        def ask(person: Resident) -> bool:
            word = person.words.plant("reply", Fate.SEALED)
            with narrator.floor:
                narrator.say(word)
                with urlopen(f"{narrator.base_url}/chat/completions", data=b"{}") as reply:
                    return json.dumps(word)[1:-1] in reply.read().decode()

        assert each_at_once(residents(20), ask) == [True] * 20


def test_one_visit_that_fails_is_told() -> None:
    """What one of several raises is raised for all, so that a census of them is void."""

    def fail(person: Resident) -> None:
        if person is people[3]:
            raise Unexpected("GET / was answered with 500 instead of 200.")

    people = residents(9)
    with pytest.raises(Unexpected, match="500"):
        each_at_once(people, fail)


def test_the_card_is_read_by_the_program() -> None:
    """The planted card is one that the program takes whole: every word that is kept stands in what it keeps."""
    words = Words()
    card = read_card(make_card(words))
    seen = {one.word for one in Scanner(planted.word for planted in words.planted).scan(repr(card.raw).encode())}
    assert seen == {planted.word for planted in words.planted if planted.fate is Fate.SEALED}
    assert len(card.greetings) == 2
    assert card.lore


@pytest.fixture
def port() -> Iterator[int]:
    """A server that sets a cookie, shows a form's token, and refuses every POST."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Set-Cookie", "session=a-value; Path=/; HttpOnly")
            self.end_headers()
            self.wfile.write(f'<input name="csrfmiddlewaretoken" value="t0k">{self.client_address[0]}'.encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(403 if b"csrfmiddlewaretoken=t0k" in body and self.headers["Cookie"] else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(20)


def test_the_browser_keeps_cookies_and_tokens(port: int) -> None:
    """What it was given it gives back; an answer that is not the expected one is told without identifiers."""
    browser = Browser(port, headers={})
    browser.get("/")
    assert (browser.cookies, browser.cookies_seen) == ({"session": "a-value"}, {"a-value"})
    browser.post("/", {}, expect=403)
    path = "/stories/0190f1e2-aaaa-7bbb-8ccc-0123456789ab/draft/"
    with pytest.raises(Unexpected, match=r"POST /stories/ID/draft/ was answered with 403 instead of 204\."):
        browser.post(path, {}, expect=204)


def test_the_browser_comes_from_its_own_address(port: int) -> None:
    """So that the address of a client can be planted too."""
    assert b"127.101.102.103" in Browser(port, headers={}, address="127.101.102.103").get("/").body


def test_an_address_is_named_whatever_is_asked_of_it() -> None:
    """Also where something was sent to a page that had come with a question; what exists nowhere has no name."""
    ident = "01a22d31-d36b-7763-b784-45656de3e843"
    asked = [f"/lorebooks/{ident}/edit/?kept", f"/stream/stories/{ident}/turns", "/nowhere/"]
    assert name_addresses(asked) == {"own_lorebook_edit", "/stream/stories/*/turns"}
