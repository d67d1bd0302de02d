"""The log: what happened to the machine, never what somebody wrote."""

from __future__ import annotations

import logging
from typing import Any


class PlainFormatter(logging.Formatter):
    """Level, logger, message, and of an exception only its type and where it was raised.

    An exception's own text may quote what it choked on (a database error quotes values), so it is not written.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

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
