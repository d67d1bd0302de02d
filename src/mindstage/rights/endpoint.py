"""Fetch an export over the raw plane: opened chunk by chunk while it is sent, so that it never lies open anywhere."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Generator
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from urllib.parse import urlencode

from django.db import DatabaseError
from django.urls import reverse

from mindstage.accounts.readers import Database, Readers
from mindstage.accounts.sessions import find_session
from mindstage.accounts.step_up import AGAIN, has_fresh_proof
from mindstage.rights.export import fail_damaged, find_ready, read_export
from mindstage.rights.export_models import Export
from mindstage.streaming.raw import (
    SECURITY_HEADERS,
    Receive,
    Refused,
    Request,
    Scope,
    Send,
    check_origin,
    read_request,
    refuse,
    wait_for_disconnect,
)
from mindstage.vault.keys import KeyGone
from mindstage.vault.sealing import Unreadable

log = logging.getLogger(__name__)

CHUNKS_AT_ONCE = 8
"""64 KiB each: half a MiB is opened in one step of a thread."""


class Gone(Refused):
    status = 404
    sentence = "There is no such export, or its day is over. Ask for a new one on the page Your data."
    page = "exports"


class SignedOut(Refused):
    status = 401
    sentence = "You are logged out. Log in again, then fetch your export from the page Your data."
    page = "session_new"


class Unproven(Refused):
    """A session alone, which may be somebody else's by now, takes nothing out."""

    status = 403
    sentence = (
        "Your export is ready, and asks for your passphrase or passkey again. Give it on your account page first."
    )
    page = "proof"


class Damaged(Refused):
    status = 410
    sentence = (
        "Your export was damaged where it lay, so nothing of it was handed out. Ask for a new one, at once if you like."
    )
    page = "exports"


class Away(Refused):
    status = 503
    sentence = "Your export cannot be read just now: the database or the disk is busy. It waits; try again in a moment."
    page = "exports"


type LedOn = Gone | SignedOut | Unproven | Damaged | Away


class ExportPlane:
    """The ASGI application for `/stream/exports/…`."""

    def __init__(self, database: Database, readers: Readers) -> None:
        self.database = database
        self.readers = readers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = read_request(scope)
        try:
            check_origin(request)
            await self._answer(request, receive, send)
        except (Gone, SignedOut, Unproven, Damaged, Away) as refusal:
            await _lead_on(request, refusal, send)
        except Refused as refusal:
            await refuse(send, refusal)
        except (KeyGone, FileNotFoundError):
            await _lead_on(request, Gone(), send)

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        match request.method, *request.path:
            case "GET", "exports", export:
                await self._fetch(request, _uuid(export), receive, send)
            case _:
                raise Gone

    async def _fetch(self, request: Request, ident: uuid.UUID, receive: Receive, send: Send) -> None:
        def find() -> tuple[Export, Generator[bytes], list[bytes]]:
            export = _own_export(request.cookie, ident)
            pieces = read_export(export)
            return export, pieces, list(islice(pieces, 1))

        try:
            export, pieces, first = await self.database.run(find, acknowledges=False)
        except Unreadable:
            await self._note_damage(ident)
            raise Damaged from None
        except FileNotFoundError:
            raise
        except (DatabaseError, OSError) as trouble:
            log.error("an export could not be read (%s)", type(trouble).__name__)
            raise Away from None
        sending = asyncio.ensure_future(_send_file(export, first, pieces, send))
        leaving = asyncio.ensure_future(wait_for_disconnect(receive))
        with self.readers.reading(request.cookie, sending):
            try:
                await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
                if sending.done() and not sending.cancelled():  # cancelled: logged out meanwhile
                    sending.result()  # a file that was changed on the disk ends the connection, not the archive
            except Unreadable:
                await self._note_damage(ident)
                raise
            finally:
                for task in (sending, leaving):
                    task.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _note_damage(self, ident: uuid.UUID) -> None:
        """Nobody comes back to it in vain, or waits for the next day: it counts as one that failed."""
        log.error("an export was damaged on the disk; it counts as failed")
        with suppress(DatabaseError, OSError):  # then it is noted at the next try
            await self.database.run(partial(fail_damaged, ident))


def _own_export(cookie: str, ident: uuid.UUID) -> Export:
    visitor = find_session(cookie)
    if visitor is None:
        raise SignedOut
    export = find_ready(visitor.account_id, ident)
    if export is None:
        raise Gone
    if not has_fresh_proof(cookie):
        raise Unproven
    return export


async def _lead_on(request: Request, refusal: LedOn, send: Send) -> None:
    """A window goes to the page that helps, and from there back to the exports; a script gets the sentence."""
    if request.headers.get(b"sec-fetch-dest") != b"document":
        await refuse(send, refusal)
        return
    back = f"{reverse('exports')}?{AGAIN}" if isinstance(refusal, Unproven) else reverse("exports")
    there = back if refusal.page == "exports" else f"{reverse(refusal.page)}?{urlencode({'next': back})}"
    headers = [(b"location", there.encode()), (b"cache-control", b"no-store"), *SECURITY_HEADERS]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _send_file(export: Export, first: list[bytes], pieces: Generator[bytes], send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _headers(export)})
    batch = first
    with closing(pieces):
        while batch:
            await send({"type": "http.response.body", "body": b"".join(batch), "more_body": True})
            batch = await asyncio.to_thread(lambda: list(islice(pieces, CHUNKS_AT_ONCE)))
    await send({"type": "http.response.body", "body": b""})


def _headers(export: Export) -> list[tuple[bytes, bytes]]:
    encrypted = export.recipient is not None
    name = b"mindstage-export.zip.age" if encrypted else b"mindstage-export.zip"
    return [
        (b"content-type", b"application/octet-stream" if encrypted else b"application/zip"),
        (b"content-disposition", b'attachment; filename="' + name + b'"'),
        (b"content-length", str(export.size).encode()),
        (b"cache-control", b"no-store"),
        *SECURITY_HEADERS,
    ]


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Gone from None
