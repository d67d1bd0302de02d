"""Exports through the browser: fetched from the raw plane, by whom they belong to and as long as they may."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from mindstage.accounts.models import User
from mindstage.accounts.readers import Readers
from mindstage.accounts.sessions import begin_session, end_session, keep_proof, session_key_hash
from mindstage.kit import clock
from mindstage.rights import export
from mindstage.rights.endpoint import ExportPlane
from mindstage.rights.export_models import Export
from mindstage.stories.database_thread import DatabaseThread
from mindstage.vault.models import ItemKey
from mindstage.vault.sealed_files import seal_chunks
from mindstage.vault.sealing import Unreadable
from people import make_person, signed_in_client
from rights.downloads import fetch, make_export, proven_client
from rights.takeouts import empty_exports, turns_of, unzip
from stories.scenes import make_story

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    person = make_person("ada")
    make_story(person, turns=6)
    yield person
    empty_exports()


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
