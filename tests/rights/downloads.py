"""Exports through the browser: what a test does about one, from the page to the raw plane."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.test import Client

from mindstage.accounts.models import User
from mindstage.accounts.readers import Readers
from mindstage.accounts.sessions import begin_session, keep_proof
from mindstage.ops.jobs import run_next_job
from mindstage.rights.endpoint import ExportPlane
from mindstage.rights.export_models import Export
from mindstage.stories.database_thread import DatabaseThread
from people import PASSPHRASE, signed_in_client


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
