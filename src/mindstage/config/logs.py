"""The log: what happened to the machine, never what somebody wrote."""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any, TextIO

log = logging.getLogger("mindstage")


class PlainFormatter(logging.Formatter):
    """Level, logger, message, and of an exception only its type and where it was raised.

    An exception's own text may quote what it choked on (a database error quotes values), so it is not written.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler's formatter may have left the whole traceback there
        return super().format(record)

    def formatException(self, ei: Any) -> str:
        kind, _, trace = ei
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rpartition('/site-packages/')[2]}:{trace.tb_lineno} in {code.co_name}")
            trace = trace.tb_next
        return "\n".join([f"  {place}" for place in places] + [f"  {kind.__name__}"])

    def formatStack(self, stack_info: str) -> str:  # noqa: ARG002
        return ""


class TerminalHandler(logging.StreamHandler[TextIO]):
    """The one stream of the log. Where it is full or closed, nothing is written at all.

    Python would print the record's whole traceback then, with the exception's words.
    """

    def handleError(self, record: logging.LogRecord) -> None:
        pass


def log_stray_exceptions() -> None:
    """Let what a thread or a destructor raises go through the log: Python itself would print the exception's text."""
    threading.excepthook = _tell_of_thread
    sys.unraisablehook = _tell_of_unraisable


def _tell_of_thread(stray: threading.ExceptHookArgs) -> None:
    if stray.exc_value is not None and stray.exc_type is not SystemExit:
        log.error("a thread ended", exc_info=(stray.exc_type, stray.exc_value, stray.exc_traceback))


def _tell_of_unraisable(stray: Any) -> None:
    if stray.exc_value is not None:
        log.error("something could not be ended", exc_info=(stray.exc_type, stray.exc_value, stray.exc_traceback))
