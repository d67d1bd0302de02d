"""Exports through the browser: asked for after a proof, followed on the page, brought in from it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyrage
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from mindstage.accounts.freezing import freeze_account
from mindstage.accounts.models import User
from mindstage.kit import clock
from mindstage.ops.commands.import_data import bring as bring_by_command
from mindstage.ops.jobs import LEASE, MOST_ATTEMPTS, claim_job, run_next_job
from mindstage.ops.models import Job
from mindstage.rights import export
from mindstage.rights.export_models import Export
from mindstage.rights.views.exports import TURNS
from mindstage.stories.database_thread import DatabaseThread
from mindstage.stories.models import Story
from mindstage.vault.keys import KeyGone
from people import make_person, signed_in_client
from rights.downloads import fetch, make_export, proven_client
from rights.takeouts import empty_exports, take_out
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)

AGE_KEY = str(pyrage.x25519.Identity.generate().to_public())


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    person = make_person("ada")
    make_story(person, turns=6)
    yield person
    empty_exports()


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
