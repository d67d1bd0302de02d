"""A fault of a page is in the log, as its page says; what somebody wrote is not."""

from __future__ import annotations

import io
import logging
import sys
import threading

import pytest
from django.test import Client

from mindstage.config.logs import PlainFormatter, TerminalHandler, log_stray_exceptions
from mindstage.ui import serving

SECRET = "zylophrenic"


def test_a_broken_page_is_told_by_its_place_alone(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Type and place of the exception, neither its text nor the address that was asked for."""

    def break_down(name: str) -> None:
        raise ValueError(f"could not read {SECRET}")

    monkeypatch.setattr(serving, "find_asset", break_down)
    client.raise_request_exception = False
    assert client.get(f"/static/{SECRET}.js").status_code == 500
    (record,) = [record for record in caplog.records if record.name == "mindstage.ui.views"]
    told = PlainFormatter().format(record)
    assert "ValueError" in told
    assert "break_down" in told
    assert SECRET not in told


def test_a_traceback_that_another_handler_wrote_is_not_used() -> None:
    """Python's formatters leave their text in the record for the next one."""
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "broke", (), (type(error), error, error.__traceback__))
    assert SECRET in logging.Formatter().format(record)
    assert SECRET not in PlainFormatter().format(record)


def test_a_log_that_cannot_be_written_prints_no_text(capfd: pytest.CaptureFixture[str]) -> None:
    """A closed terminal or a full disk loses the line; Python's own complaint about it would quote the exception."""
    terminal = io.StringIO()
    terminal.close()
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "broke", (), (type(error), error, error.__traceback__))
    TerminalHandler(terminal).handle(record)
    assert capfd.readouterr().err == ""


def test_a_thread_that_breaks_prints_no_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a thread raises goes through the log as well, without the exception's words."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    log_stray_exceptions()

    def break_down() -> None:
        raise ValueError(SECRET)

    thread = threading.Thread(target=break_down)
    thread.start()
    thread.join(20)
    (record,) = [record for record in caplog.records if record.getMessage() == "a thread ended"]
    told = PlainFormatter().format(record)
    assert "break_down" in told
    assert SECRET not in told + capfd.readouterr().err
