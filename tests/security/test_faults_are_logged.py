"""A fault of a page is in the log, as its page says; what somebody wrote is not."""

from __future__ import annotations

import pytest
from django.test import Client

from mindstage.config.logs import PlainFormatter
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
