"""Uploads stay in memory: a temporary file would be a clear copy of somebody's card on the disk."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler, StopUpload
from django.http import HttpRequest

LIMIT = 20 * 1024 * 1024
"""Bytes: the largest card that is read (library/cards/limits)."""


def was_cut_off(request: HttpRequest) -> bool:
    """Whether this request brought more than LIMIT bytes of files, and lost them."""
    return getattr(request, "upload_cut_off", False)


class MemoryOnlyUploadHandler(MemoryFileUploadHandler):
    """Takes at most LIMIT bytes of files a request; more are dropped while they arrive, and `was_cut_off` says so."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        super().handle_raw_input(*args, **kwargs)
        self.activated = True
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.received += len(raw_data)
        if self.received > LIMIT:
            self.request.upload_cut_off = True  # type: ignore[union-attr]  # read by `was_cut_off` alone
            raise StopUpload(connection_reset=False)
        return super().receive_data_chunk(raw_data, start)
