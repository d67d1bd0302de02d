"""Any number of workers: each job is done at least once, by one at a time; what a killed one held another does.

On files, and with TEST_POSTGRES on a server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from postgres_server import throwaway_databases
from settings_for_tests import SERVER

pytestmark = pytest.mark.system
TESTS = Path(__file__).parent.parent
WAIT = 60
JOBS = 60


@dataclass(frozen=True)
class House:
    """An instance of its own, and where its workers note what they did."""

    environment: dict[str, str]
    notes: Path

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ops.worker_of_tests", *arguments]
        return subprocess.Popen(command, env=self.environment | more, cwd=TESTS)

    def run(self, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            env=self.environment,
            cwd=TESTS,
            check=True,
            capture_output=True,
            timeout=WAIT,
        )
        return done.stdout.decode()

    def enqueue(self, numbers: range) -> None:
        self.run(
            "from ops.tasks_of_tests import write_down\n"
            f"for number in range({numbers.start}, {numbers.stop}): write_down.enqueue(number)"
        )

    def done(self) -> Counter[int]:
        return Counter(map(int, self.notes.read_text().split())) if self.notes.exists() else Counter()

    def left(self) -> int:
        return int(self.run("from mindstage.ops.models import Job; print(Job.objects.count())"))


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    tmp_path = tmp_path_factory.mktemp("workers")
    for name in ("data/database", "data/keystore", "keys"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "mindstage.toml").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MINDSTAGE_")}
    environment = kept | {
        "MINDSTAGE_CONFIG": str(tmp_path / "mindstage.toml"),
        "MINDSTAGE_DATA": str(tmp_path / "data"),
        "MINDSTAGE_KEYS": str(tmp_path / "keys"),
        "DJANGO_SETTINGS_MODULE": "mindstage.config.settings",
        "NOTES": str(tmp_path / "notes"),
    }
    if not SERVER:
        yield _migrated(House(environment, tmp_path / "notes"))
        return
    with throwaway_databases(SERVER) as (database, keystore):
        places = {"MINDSTAGE_DATABASE_URL": database, "MINDSTAGE_KEYSTORE_URL": keystore}
        yield _migrated(House(environment | places, tmp_path / "notes"))


@pytest.fixture
def house(instance: House) -> House:
    """The same instance, without what an earlier test noted."""
    instance.notes.unlink(missing_ok=True)
    return instance


def _migrated(house: House) -> House:
    house.run("from mindstage.ops.schema import bring_up_to_date; bring_up_to_date()")
    return house


def test_two_workers_share_the_jobs(house: House) -> None:
    """Every job is done, and while both live no job is done by both."""
    house.enqueue(range(JOBS))
    workers = [house.start("0"), house.start("0")]
    assert [worker.wait(WAIT) for worker in workers] == [0, 0]
    assert house.done() == Counter(range(JOBS))
    assert house.left() == 0


def test_the_job_of_a_killed_worker_is_done_by_another(house: House) -> None:
    """A worker dies in the middle of a job: when its lease is over another does that job, and all the rest."""
    house.enqueue(range(5))
    killed = house.start("0", KILL_AT="0")
    assert killed.wait(WAIT) == -signal.SIGKILL
    assert house.start("0").wait(WAIT) == 0
    assert house.done() == Counter(range(1, 5))
    assert house.start("1").wait(WAIT) == 0
    assert house.done() == Counter(range(5))
    assert house.left() == 0
