"""What is answered while old files lie here: no page of anybody's before what was erased since is erased in them too.

Made without a template of the pages: those ask who is there, and no row may be read. It needs no other file either.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from typing import Final

from mindstage.kit.words import as_typed
from mindstage.streaming.raw import SECURITY_HEADERS, Scope, Send

SENTENCE: Final = "Mindstage is closed while data are being restored."
_STYLE: Final = """
:root { color-scheme: light dark; --ink: light-dark(#1b1f1c, #e7e8e1); --soft: light-dark(#4b514c, #b6bab2); --page: light-dark(#f4f4ef, #0f1211); }
body { margin: 0 auto; max-width: 38rem; padding: clamp(2rem, 14vh, 8rem) 1.25rem 2rem; font: 1rem/1.6 system-ui, sans-serif; color: var(--soft); background: var(--page); }
h1, h2 { font-family: Georgia, "DejaVu Serif", serif; font-weight: 500; color: var(--ink); line-height: 1.25; margin: 0 0 1rem; }
h1 { font-size: clamp(1.75rem, 5vw, 2.5rem); } h2 { font-size: 1.15rem; margin-top: 3rem; }
svg { width: 3.5rem; margin-bottom: 1.5rem; color: var(--soft); }
code { color: var(--ink); overflow-wrap: anywhere; }
"""  # noqa: E501 - a style sheet
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Closed for now · Mindstage</title>
<style>{style}</style>
</head>
<body>
<main>
<svg viewBox="0 0 24 24" fill="none" aria-hidden="true">
<path d="M4 20V11.5a8 8 0 0 1 16 0V20M1.5 20.5h21" stroke="currentColor" stroke-linecap="round"/></svg>
<h1>Mindstage is closed for now</h1>
<p>Older files of this copy were put back. No page of anybody’s is shown before everything that was erased since is
erased in them too. There is nothing you need to do: come back in a while.</p>
<h2>If you run this copy</h2>
<p>{why}</p>
</main>
</body>
</html>
"""


async def say_closed(scope: Scope, send: Send, why: str) -> None:
    """To a browser a page, to our scripts a sentence, to anybody else text. `why` is what the start-up check said."""
    asked, why = dict(scope["headers"]), as_typed(why, on_a_page=True)
    accepted, policy = asked.get(b"accept", b""), "default-src 'none'"
    if asked.get(b"x-partial") == b"1" or b"application/json" in accepted:
        kind, body = "application/json", json.dumps({"say": f"{SENTENCE} Nothing was changed; try again in a while."})
    elif b"text/html" in accepted:
        kind, body = "text/html; charset=utf-8", _PAGE.format(style=_STYLE, why=_with_code(why))
        policy += f"; style-src 'sha256-{_hash(_STYLE)}'"
    else:
        kind, body = "text/plain; charset=utf-8", f"{SENTENCE}\n\n{why}\n"
    headers = dict(SECURITY_HEADERS) | {
        b"content-type": kind.encode(),
        b"cache-control": b"no-store",
        b"retry-after": b"60",
        b"content-security-policy": f"{policy}; frame-ancestors 'none'".encode(),
    }
    await send({"type": "http.response.start", "status": 503, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": body.encode()})


def _with_code(sentence: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(sentence))


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
