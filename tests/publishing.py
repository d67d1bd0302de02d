"""Versions of the policy for tests: a folder of their own, and a program that does what the newest of them says."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from mindstage.datamap import content, questions, releases
from mindstage.datamap.content import Content
from mindstage.datamap.releases import Change
from mindstage.kit import clock


class Press:
    """Publishes versions into a folder, as `mindstage policy release` does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.coming = folder / "coming.toml"
        self.now: Content = copy.deepcopy(content.present())

    def publish(
        self,
        *,
        says: str | Sequence[str] = "Something else.",
        today: date | None = None,
        effective: date | None = None,
    ) -> int:
        """Freeze the program as it is; the number of that version."""
        done = releases.read_releases(self.folder)
        differences = releases.compare(done[-1].content, self.now) if done else []
        told = [says] if isinstance(says, str) else says
        changes = [Change(tuple(releases.changed_things(differences)), one) for one in told] if done else []
        frozen = releases.freeze(done, self.now, changes, today=today or clock.today(), effective=effective)
        releases.write_release(frozen, folder=self.folder, coming_file=self.coming)
        forget()
        return int(frozen["number"])

    def change(self, kind: str, key: str, **changes: Any) -> None:
        """Let the program do something else from now on."""
        self.now[kind][key] = self.now[kind].get(key, {}) | changes
        forget()


def later(days: int) -> AbstractContextManager[None]:
    """So many days on, by the wall."""
    return clock.moved(timedelta(days=days))


def forget() -> None:
    """Read the questions anew."""
    questions.questions.cache_clear()
    questions.guards.cache_clear()


@pytest.fixture
def press(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A press whose first version is the program as it is."""
    made = Press(tmp_path)
    present: Callable[[], Content] = lambda: made.now  # noqa: E731
    monkeypatch.setattr(releases, "FOLDER", tmp_path)
    monkeypatch.setattr(questions, "present", present)
    releases.releases.cache_clear()
    made.publish()
    yield made
    monkeypatch.undo()
    releases.releases.cache_clear()
    forget()
