"""The page that checks a receipt without this program: one file, to be kept beside the receipt.

It allows itself the one script and the one style that stand in it, and no connection at all.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from string import Template
from typing import Final

FOLDER: Final = Path(__file__).parent
TYPES: Final = "require-trusted-types-for 'script'; trusted-types 'none'"


def write_page(*, key: str) -> str:
    """The page, with a public key (base64) in its field."""
    script, style = _read("check.js"), _read("check.css")
    return Template(_read("check.html")).substitute(policy=policy(), style=style, script=script, key=key)


@cache
def policy() -> str:
    """Its Content-Security-Policy, also to be sent along. What only a header may say, no page says of itself."""
    allowed = f"script-src 'sha256-{_hash('check.js')}'; style-src 'sha256-{_hash('check.css')}'"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'; {TYPES}"


def _hash(name: str) -> str:
    return base64.b64encode(hashlib.sha256(_read(name).encode()).digest()).decode()


@cache
def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
