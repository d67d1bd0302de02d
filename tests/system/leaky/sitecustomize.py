"""Makes the program write an access log, as servers do: a fault that a census must find. See ../blind."""

from __future__ import annotations

import sys
from typing import Any

from a2wsgi import WSGIMiddleware

_answer = WSGIMiddleware.__call__


async def _answer_and_tell(self: Any, scope: Any, receive: Any, send: Any) -> None:
    print(scope["client"], scope["path"], scope["query_string"], scope["headers"], file=sys.stderr, flush=True)
    await _answer(self, scope, receive, send)


WSGIMiddleware.__call__ = _answer_and_tell
