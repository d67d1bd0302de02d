"""Uploads stay in memory: a temporary file would be a clear copy of somebody's card on the disk."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler, StopUpload

LIMIT = 20 * 1024 * 1024
"""Bytes: the largest card that is read (library/cards/limits)."""


class MemoryOnlyUploadHandler(MemoryFileUploadHandler):
    """Takes one file of at most LIMIT bytes; a larger one is cut off while it arrives and reported by the form."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        super().handle_raw_input(*args, **kwargs)
        self.activated = True
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.received += len(raw_data)
        if self.received > LIMIT:
            raise StopUpload(connection_reset=False)
        return super().receive_data_chunk(raw_data, start)
