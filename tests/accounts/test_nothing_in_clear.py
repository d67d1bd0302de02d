"""After a whole visit no file holds a handle, a passphrase, a cookie, an address or a browser's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connections
from django.test import Client

pytestmark = [pytest.mark.urls("accounts.urls_for_tests")]

HANDLE, WRONG_HANDLE = "Vrox Ultimander", "Wrong Brambleton"
PASSPHRASE, WRONG_PASSPHRASE, NEW_PASSPHRASE = "velvet ferry 7741 moth", "mistaken 5521 moth", "lantern 9917 moth"
AGENT, ADDRESS = "PlantedBrowser/77.1 Mobile", "203.0.113.77"


@pytest.mark.sqlite
@pytest.mark.django_db(databases=["default", "keystore"], transaction=True)
def test_no_planted_word_is_in_any_file(vault: None) -> None:
    """Sign-up, failed log-in, log-in, change of passphrase and log-out, then the raw bytes of both databases."""
    client = Client(headers={"User-Agent": AGENT}, REMOTE_ADDR=ADDRESS)
    form = {"handle": HANDLE, "passphrase": PASSPHRASE, "age_band": "18_plus"}
    assert client.post("/account/new/", form).status_code == 302
    cookies = [client.cookies["session"].value]
    other = Client(headers={"User-Agent": AGENT}, REMOTE_ADDR=ADDRESS)
    assert other.post("/session/new/", {"handle": WRONG_HANDLE, "passphrase": WRONG_PASSPHRASE}).status_code == 422
    assert other.post("/session/new/", {"handle": HANDLE, "passphrase": PASSPHRASE}).status_code == 302
    cookies.append(other.cookies["session"].value)
    assert client.get("/account/").status_code == 200
    assert client.post("/account/passphrase/", {"old": PASSPHRASE, "new": NEW_PASSPHRASE}).status_code == 302
    cookies.append(client.cookies["session"].value)

    found = read_files()
    assert b"argon2id" in found  # the scan sees what lies there in clear
    words = [HANDLE, WRONG_HANDLE, PASSPHRASE, WRONG_PASSPHRASE, NEW_PASSPHRASE, AGENT, ADDRESS, "phone", *cookies]
    for word in [part for each in words for part in (each, each.split()[-1]) if len(part) > 4]:
        for spelling in (word, word.lower(), word.casefold().upper()):
            for encoding in ("utf-8", "utf-16-le"):
                assert spelling.encode(encoding) not in found, encoding
    assert client.post("/session/end/").status_code == 302


def read_files() -> bytes:
    """Every byte of the database files in use, with their logs. A server's files are not ours to read: skipped."""
    if any(connection.vendor != "sqlite" for connection in connections.all()):
        pytest.skip("reads the files of SQLite")
    content = b""
    for connection in connections.all():
        file = Path(str(connection.settings_dict["NAME"]))
        content += b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    return content
