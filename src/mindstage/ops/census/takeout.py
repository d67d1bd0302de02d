"""What people ask of *Your data*: switches, an export to a key of their own, an import with an unknown file."""

from __future__ import annotations

import io
import re
import time
import zipfile
from typing import Final

import pyrage

from mindstage.ops.census.browser import Browser, Unexpected
from mindstage.ops.census.words import Fate, Words

SECONDS: Final = 40.0
_READY: Final = re.compile(rb"/stream/exports/([0-9a-f-]{36})")


class Takeout:
    """One export. Asked for early, fetched late: the worker writes it meanwhile."""

    def __init__(self, browser: Browser, words: Words) -> None:
        self.browser = browser
        self.words = words
        self._identity = pyrage.x25519.Identity.generate()

    def ask(self) -> None:
        """Raises Unexpected."""
        wrong = self.words.plant("a key that is none", Fate.NEVER)
        self.browser.get("/your-data/exports/")
        self.browser.post("/your-data/exports/", {"recipient": wrong}, expect=409)
        own = self.words.add("public key that an export is encrypted to", str(self._identity.to_public()), Fate.SEALED)
        self.browser.post("/your-data/exports/", {"recipient": own})

    def fetch_and_bring(self) -> None:
        """Fetch it, put a file in that nothing understands, and bring it into the same account. Raises Unexpected."""
        archive = pyrage.decrypt(self._fetch(), [self._identity])
        name = self.words.plant("name of a file in an archive", Fate.SEALED, plain=True)
        content = self.words.plant("a file in an archive that nothing understands", Fate.SEALED)
        file = io.BytesIO(archive)
        with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr(f"{name}.txt", content)
        outside = f"{self.words.plant('name of an archive', Fate.NEVER, plain=True)}.zip"
        self.browser.get("/your-data/exports/")
        self.browser.upload("/your-data/imports/", file.getvalue(), field_name="archive", file_name=outside, expect=200)

    def choose(self) -> None:
        """Switches of consent, and a purpose that does not exist."""
        for page in ("/your-data/", "/your-data/consents/"):
            self.browser.get(page)
        self.browser.post("/your-data/consents/improvement/", {"given": self.words.plant("a choice", Fate.NEVER)})
        wrong = self.words.plant("wrong purpose", Fate.NEVER, plain=True)
        self.browser.post(f"/your-data/consents/{wrong}/", {"given": "yes"}, expect=404)
        self.browser.get("/your-data/receipt/")
        code = self.words.plant("a claim code that is none", Fate.NEVER, plain=True)
        self.browser.post("/your-data/receipt/", {"code": code}, expect=422)
        forged = self.words.plant("a receipt that is none", Fate.NEVER)
        self.browser.get("/your-data/receipt/check/")
        self.browser.post("/your-data/receipt/check/", {"text": forged}, expect=422)

    def _fetch(self) -> bytes:
        deadline = time.monotonic() + SECONDS
        while not (found := _READY.search(self.browser.get("/your-data/exports/").body)):
            if time.monotonic() > deadline:
                raise Unexpected("The export was not written in time.")
            time.sleep(0.1)
        return self.browser.take(f"/stream/exports/{found[1].decode()}").body
