"""Exports through the browser: asked for after a proof, fetched from the raw plane, brought in from the page."""

from __future__ import annotations

import asyncio
import io
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyrage
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.http import HttpResponse
from django.test import Client

from mindstage.accounts.freezing import freeze_account
from mindstage.accounts.models import User
from mindstage.accounts.readers import Readers
from mindstage.accounts.sessions import begin_session, end_session, keep_proof, session_key_hash
from mindstage.kit import clock
from mindstage.ops.commands.import_data import bring as bring_by_command
from mindstage.ops.jobs import LEASE, MOST_ATTEMPTS, claim_job, run_next_job
from mindstage.ops.models import Job
from mindstage.rights import export
from mindstage.rights.endpoint import ExportPlane
from mindstage.rights.export_models import Export
from mindstage.rights.views.exports import TURNS
from mindstage.stories.database_thread import DatabaseThread
from mindstage.stories.models import Story
from mindstage.vault.keys import KeyGone
from mindstage.vault.models import ItemKey
from mindstage.vault.sealed_files import seal_chunks
from mindstage.vault.sealing import Unreadable
from people import PASSPHRASE, make_person, signed_in_client
from rights.takeouts import empty_exports, take_out, turns_of, unzip
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)

AGE_KEY = str(pyrage.x25519.Identity.generate().to_public())


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    person = make_person("ada")
    make_story(person, turns=6)
    yield person
    empty_exports()


@pytest.fixture
def database() -> Iterator[DatabaseThread]:
    thread = DatabaseThread()
    thread.start()
    yield thread
    thread.stop()


def proven_client(person: User) -> Client:
    client = signed_in_client(person)
    answer = client.post("/session/proof/", {"passphrase": PASSPHRASE})
    assert answer.status_code in (200, 302), answer.status_code
    return client


def make_export(client: Client) -> Export:
    assert client.post("/your-data/exports/").status_code == 302
    assert run_next_job()
    return Export.objects.latest("asked_at")


def fetch(
    database: DatabaseThread, person: User | None, path: str, *, proven: bool = True, **more: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask the raw plane as a browser would: status, headers, body."""
    cookie = begin_session(person, "computer") if person else ""
    if proven:
        keep_proof(cookie)
    headers = {"host": "localhost", "sec-fetch-site": "same-origin", **more}
    headers["cookie"] = f"{settings.SESSION_COOKIE_NAME}={cookie}"
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(ExportPlane(database, Readers(database))(scope, receive, send))
    heads = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], heads, b"".join(message.get("body", b"") for message in sent[1:])


def test_an_export_asks_for_a_proof_first(ada: User) -> None:
    """A signed-in browser alone begins nothing; and a notice tells the owner of the account when one is begun."""
    answer = signed_in_client(ada).post("/your-data/exports/")
    assert "/session/proof/" in answer.headers["Location"]
    assert not Export.objects.exists()
    client = proven_client(ada)
    make_export(client)
    assert b"export of your data was asked for" in client.get("/account/").content


def test_the_page_leads_back_to_where_people_come_from(ada: User) -> None:
    """From *Your data*, from the page that ends an account, and from the page of a frozen one, which has both ways."""
    client = proven_client(ada)
    assert 'href="/your-data/exports/"' in client.get("/your-data/erasures/").content.decode()
    page = client.get("/your-data/exports/").content.decode()
    main = page[page.index("<main") :]
    assert ('href="/your-data/"' in main, 'href="/your-data/erasures/"' in main) == (True, True)
    freeze_account(ada.pk)
    page = proven_client(ada).get("/your-data/exports/").content.decode()
    main = page[page.index("<main") :]
    assert ('href="/your-data/"' in main, 'href="/your-data/erasures/"' in main) == (True, False)


def test_the_page_follows_an_export(ada: User) -> None:
    """Waiting, then ready with a download; thrown away, it is gone at once."""
    client = proven_client(ada)
    client.post("/your-data/exports/")
    page = client.get("/your-data/exports/").content.decode()
    assert ("is being written" in page, "It begins in a moment." in page, "of … things" in page) == (True, True, False)
    Export.objects.update(things=1)
    assert "0 of 1 thing." in client.get("/your-data/exports/").content.decode()
    assert run_next_job()
    ready = Export.objects.get()
    page = client.get("/your-data/exports/").content
    assert f"/stream/exports/{ready.pk}".encode() in page
    assert client.post("/your-data/exports/").status_code == 409
    client.post(f"/your-data/exports/{ready.pk}/end/")
    assert not export.path_of(ready.pk).exists()
    assert b"is ready" not in client.get("/your-data/exports/").content
    assert client.post("/your-data/exports/").status_code == 409


def test_a_second_archive_of_a_day_is_not_offered(ada: User) -> None:
    """The page says from when there may be another, also once the first was thrown away; then the button is back."""
    client = proven_client(ada)
    made = make_export(client)
    for _ in range(2):
        page = client.get("/your-data/exports/").content.decode()
        assert "Make the archive" not in page
        assert f"{made.asked_at + timedelta(days=1):%-d %B, %H:%M} UTC" in page
        client.post(f"/your-data/exports/{made.pk}/end/")
    with clock.moved(timedelta(days=1, minutes=1)):
        assert "Make the archive" in signed_in_client(ada).get("/your-data/exports/").content.decode()


def test_the_live_part_offers_the_next_archive(ada: User) -> None:
    """A page that is open sees one thing at a time: nothing to type in while one is written, the form if it failed."""
    client, partial = proven_client(ada), {"X-Partial": "1"}

    def live_part() -> tuple[bool, bool, bool]:
        part = client.get("/your-data/exports/", headers=partial).content.decode()
        assert "<main" not in part
        return "data-poll" in part, 'id="recipient"' in part, "One archive a day" in part

    assert live_part() == (False, True, False)
    client.post("/your-data/exports/")
    assert live_part() == (True, False, True)
    Export.objects.update(asked_at=clock.now() - timedelta(days=2))
    assert live_part() == (True, False, False)
    Export.objects.update(state=Export.State.FAILED, asked_at=clock.now())
    assert live_part() == (False, True, False)
    Export.objects.update(state=Export.State.READY, ready_at=clock.now())
    assert live_part() == (False, False, True)


@pytest.mark.parametrize("recipient", ["", AGE_KEY], ids=["plain", "age"])
def test_an_export_whose_every_worker_was_killed_says_so(ada: User, recipient: str) -> None:
    """Given up, it is no longer being written: the page says what is safe, and another may be begun at once."""
    client = proven_client(ada)
    client.post("/your-data/exports/", {"recipient": recipient})
    asked, later = Export.objects.get(), timedelta(0)
    for _ in range(MOST_ATTEMPTS):
        with clock.moved(later):
            assert claim_job()
            assert b"is being written" in client.get("/your-data/exports/").content
        later += LEASE
    with clock.moved(later):
        assert not run_next_job()
        asked.refresh_from_db()
        assert asked.state == Export.State.FAILED
        with pytest.raises(KeyGone):
            export.file_key(asked.pk)
        page = client.get("/your-data/exports/").content.decode()
        assert "is being written" not in page
        assert "Nothing else of yours is lost" in page
        assert ('href="#recipient">Try again' if recipient else '<button class="btn">Try again') in page
        assert proven_client(ada).post("/your-data/exports/", {"recipient": recipient}).status_code == 302
        assert run_next_job()
        assert b"is ready" in client.get("/your-data/exports/").content


def test_an_export_is_not_given_up_while_somebody_writes_it(ada: User) -> None:
    """A worker that is slow has said that it is at work: its export is not ended under its hands."""
    asked = export.request_export(owner=ada.pk)
    Job.objects.update(attempts=MOST_ATTEMPTS)
    Export.objects.filter(pk=asked.pk).update(state=Export.State.WRITING, touched_at=clock.now())
    assert not run_next_job()
    assert Export.objects.get().state == Export.State.WRITING
    with clock.moved(timedelta(hours=1)):
        assert not run_next_job()
        assert Export.objects.get().state == Export.State.FAILED


def test_the_download_is_the_archive(ada: User, database: DatabaseThread) -> None:
    """Whole, of the length that was announced, never cached, as a file of a plain name."""
    ready = make_export(proven_client(ada))
    status, headers, body = fetch(database, ada, f"/stream/exports/{ready.pk}")
    assert status == 200
    assert len(turns_of(unzip(body))) == 6
    assert int(headers["content-length"]) == len(body)
    assert headers["cache-control"] == "no-store"
    assert "mindstage-export.zip" in headers["content-disposition"]


def test_nobody_else_fetches_it(ada: User, database: DatabaseThread) -> None:
    """A stranger, another person, another site, another day, another name."""
    ready = make_export(proven_client(ada))
    path = f"/stream/exports/{ready.pk}"
    assert fetch(database, None, path)[0] == 401
    cleo = make_person("cleo")
    assert fetch(database, cleo, path)[0] == 404
    assert signed_in_client(cleo).post(f"/your-data/exports/{ready.pk}/end/").status_code == 404
    assert fetch(database, ada, path, **{"sec-fetch-site": "cross-site"})[0] == 403
    assert fetch(database, ada, path, host="elsewhere.example")[0] == 400
    assert fetch(database, ada, f"/stream/exports/{uuid.uuid4()}")[0] == 404
    assert fetch(database, ada, "/stream/exports/x")[0] == 404
    with clock.moved(timedelta(hours=25)):
        assert fetch(database, ada, path)[0] == 404


def test_a_download_asks_for_a_proof_as_well(ada: User, database: DatabaseThread) -> None:
    """A stolen session takes no ready archive out: a window is led to the proof and back, a script is told why."""
    ready = make_export(proven_client(ada))
    path = f"/stream/exports/{ready.pk}"
    status, _, body = fetch(database, ada, path, proven=False)
    assert (status, b"passphrase or passkey again" in body) == (403, True)
    window = {"sec-fetch-dest": "document"}
    status, headers, body = fetch(database, ada, path, proven=False, **window)
    assert (status, headers["location"], body) == (303, "/session/proof/?next=%2Fyour-data%2Fexports%2F%3Fagain", b"")
    assert fetch(database, ada, path, **window)[0] == 200


def test_a_window_that_gets_no_archive_is_led_to_a_page(ada: User, database: DatabaseThread) -> None:
    """Signed out: to the door and back; an archive that is gone, or another's: to the list."""
    ready = make_export(proven_client(ada))
    window = {"sec-fetch-dest": "document"}
    path = f"/stream/exports/{ready.pk}"
    answer = fetch(database, None, path, proven=False, **window)
    assert (answer[0], answer[1]["location"]) == (303, "/session/new/?next=%2Fyour-data%2Fexports%2F")
    for person, gone in (
        (make_person("cleo"), path),
        (ada, f"/stream/exports/{uuid.uuid4()}"),
        (ada, "/stream/exports/x"),
    ):
        answer = fetch(database, person, gone, **window)
        assert (answer[0], answer[1]["location"]) == (303, "/your-data/exports/")


def test_a_file_that_was_changed_on_the_disk_hands_out_nothing(ada: User, database: DatabaseThread) -> None:
    """Cut short or altered: a sentence instead of the archive, and she may ask for another at once."""
    client = proven_client(ada)
    damages = (lambda content: content[:-1], lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:])
    for number, damage in enumerate(damages, 1):
        ready = make_export(client)
        file, path = export.path_of(ready.pk), f"/stream/exports/{ready.pk}"
        file.write_bytes(damage(file.read_bytes()))
        status, _, body = fetch(database, ada, path)
        assert (status, b"damaged where it lay" in body) == (410, True)
        assert not file.exists()
        answer = fetch(database, ada, path, **{"sec-fetch-dest": "document"})
        assert (answer[0], answer[1]["location"]) == (303, "/your-data/exports/")
        page = client.get("/your-data/exports/").content
        assert page.count(b"This archive failed") == number
        assert f"/stream/exports/{ready.pk}".encode() not in page


def test_damage_further_on_breaks_the_download_off(ada: User, database: DatabaseThread) -> None:
    """Pieces that were sent are true; where the file is none of ours the connection ends, and the page says so."""
    ready = make_export(proven_client(ada))
    sealed = b"".join(seal_chunks([b"x" * 4_000_000], key=export.file_key(ready.pk), place=export.place_of(ready.pk)))
    export.path_of(ready.pk).write_bytes(sealed[:-1])
    with pytest.raises(Unreadable):
        fetch(database, ada, f"/stream/exports/{ready.pk}")
    assert Export.objects.get().state == Export.State.FAILED
    with clock.moved(timedelta(hours=25)):
        export.purge_old_exports()
    assert not ItemKey.objects.using("keystore").filter(pk=ready.pk).exists()


def test_a_download_waits_for_a_database_or_a_disk(ada: User, database: DatabaseThread) -> None:
    """A sentence while they are away; the archive is still there afterwards."""
    ready = make_export(proven_client(ada))
    file, path = export.path_of(ready.pk), f"/stream/exports/{ready.pk}"
    content = file.read_bytes()
    file.unlink()
    file.mkdir()
    try:
        status, _, body = fetch(database, ada, path)
    finally:
        file.rmdir()
    assert (status, b"try again in a moment" in body) == (503, True)
    file.write_bytes(content)
    assert fetch(database, ada, path)[0] == 200


def test_the_page_brings_an_archive_in(ada: User, database: DatabaseThread) -> None:
    """Through the form, with its report; what is no archive is refused in words."""
    ready = make_export(proven_client(ada))
    _, _, body = fetch(database, ada, f"/stream/exports/{ready.pk}")
    ben = make_person("ben")
    client = signed_in_client(ben)
    page = client.post("/your-data/imports/", {"archive": SimpleUploadedFile("a.zip", body)})
    assert page.status_code == 200
    assert b"6 turns" in page.content
    assert Story.objects.filter(owner=ben).count() == 1
    for content, status in ((b"no archive", 422), (None, 400)):
        form = {} if content is None else {"archive": SimpleUploadedFile("a.zip", content)}
        assert client.post("/your-data/imports/", form).status_code == status


def test_a_frozen_account_is_offered_no_way_in(ada: User) -> None:
    """It may take everything out; a form that would only be refused is not shown."""
    client = proven_client(ada)
    assert "Bring it in" in client.get("/your-data/exports/").content.decode()
    User.objects.filter(pk=ada.pk).update(state=User.State.FROZEN)
    page = client.get("/your-data/exports/").content.decode()
    assert "Make the archive" in page
    assert "Bring it in" not in page


def test_the_command_brings_an_archive_in(ada: User, tmp_path: Any) -> None:
    """For archives of any size: the report, or one sentence and exit code 1."""
    ready = make_export(proven_client(ada))
    file = tmp_path / "archive.zip"
    file.write_bytes(b"".join(export.read_export(ready)))
    make_person("ben")
    said, code = bring_by_command(file, "ben")
    assert code == 0
    assert "6 turns" in said[0]
    assert bring_by_command(file, "nobody")[1] == 1
    assert bring_by_command(tmp_path / "missing.zip", "ben")[1] == 1
    file.write_bytes(b"PK")
    assert bring_by_command(file, "ben")[1] == 1


def test_the_signing_key_is_public(ada: User) -> None:
    """The key that checks manifests, with its fingerprint."""
    answer = Client().get("/.well-known/mindstage-signing-key").json()
    assert answer["algorithm"] == "Ed25519"
    assert len(answer["fingerprint"].split()) == 8
    assert io.BytesIO(answer["key"].encode())


def test_a_download_ends_with_the_session(ada: User, database: DatabaseThread) -> None:
    """Logged out in the middle of it, a browser gets no further piece; the archive waits for the next log-in."""
    ready = make_export(proven_client(ada))
    cookie = begin_session(ada, "computer")
    keep_proof(cookie)
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/stream/exports/{ready.pk}",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())],
    }

    def log_out() -> None:
        """As a page does, in a thread of its own."""
        end_session(session_key_hash(cookie))
        connections.close_all()

    async def fetch_slowly() -> list[str]:
        readers, sent = Readers(database), []
        readers.open()

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            return {}

        async def send(message: Any) -> None:
            sent.append(message["type"])
            if message["type"] == "http.response.body":
                await asyncio.to_thread(log_out)
                await asyncio.Event().wait()  # a reader that takes its time

        await asyncio.wait_for(ExportPlane(database, readers)(scope, receive, send), 10)
        return sent

    assert asyncio.run(fetch_slowly()) == ["http.response.start", "http.response.body"]
    assert fetch(database, ada, f"/stream/exports/{ready.pk}")[0] == 200


def test_imports_leave_threads_for_the_pages(ada: User) -> None:
    """A third archive at once is refused in words, and taken when there is room again."""
    client = signed_in_client(ada)
    archive = take_out(ada)

    def bring() -> HttpResponse:
        return client.post("/your-data/imports/", {"archive": SimpleUploadedFile("export.zip", archive)})

    with TURNS, TURNS:
        busy = bring()
        assert (busy.status_code, b"try again in a minute" in busy.content) == (503, True)
    assert bring().status_code == 200
    assert bring().status_code == 200
