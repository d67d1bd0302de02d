"""The page of narrators: who answers, what could be installed, and who may install it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mindstage.accounts.owner_link import make_owner_link
from mindstage.gateway.ai_models import installing
from mindstage.gateway.ai_models.installation import InstallationProblem
from mindstage.gateway.narrators import size_label
from people import make_person, signed_in_client
from stories.house import eventually

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]
BETTER = "/models/story-1.5b/installation/"


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which installations were begun, instead of a gigabyte."""
    models: list[str] = []
    monkeypatch.setattr(installing, "begin", models.append)
    return models


def test_the_tiny_model_is_called_what_it_is_and_a_better_one_is_offered() -> None:
    """Plainly: a tiny demo model; and the size of the other before anybody asks for it."""
    page = signed_in_client(make_person("ada")).get("/models/").content.decode()
    assert "Tiny demo model" in page
    assert "Install (1.1 GB)" in page
    assert "of disk" not in page  # one figure, the button's


def test_the_owner_installs(begun: list[str]) -> None:
    owner = make_person("ada", owner_link=make_owner_link())
    answer = signed_in_client(owner).post(BETTER, headers={"X-Partial": "1"})
    assert answer.status_code == 200
    assert begun == ["story-1.5b"]


def test_the_owner_stops_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it runs there is a button for it; what has come is kept, and the button to go on is there again."""
    ada = signed_in_client(make_person("ada", owner_link=make_owner_link()))
    begun = threading.Event()

    def fetch(*_: object, is_cancelled: Callable[[], bool], **__: object) -> None:
        begun.set()
        eventually(is_cancelled)
        raise InstallationProblem("cancelled")

    monkeypatch.setattr(installing, "install_model", fetch)
    monkeypatch.setattr(installing, "_jobs", {})
    assert 'value="stop"' in ada.post(BETTER, headers={"X-Partial": "1"}).content.decode()
    assert begun.wait(20)
    ben = signed_in_client(make_person("ben"))
    assert 'value="stop"' not in ben.get(BETTER, headers={"X-Partial": "1"}).content.decode()
    assert ben.post(BETTER, {"act": "stop"}).status_code == 403
    assert installing.standing("story-1.5b").state == "running"
    ada.post(BETTER, {"act": "stop"})
    eventually(lambda: installing.standing("story-1.5b").state == "failed")
    page = ada.get(BETTER, headers={"X-Partial": "1"}).content.decode()
    assert "What has come is kept" in page
    assert "Install (1.1 GB)" in page


def test_nobody_else_installs_where_there_is_an_owner(begun: list[str]) -> None:
    """A model takes the machine's disk and memory, so its owner decides; the page says so."""
    make_person("ada", owner_link=make_owner_link())
    ben = signed_in_client(make_person("ben"))
    assert ben.post(BETTER).status_code == 403
    assert begun == []
    assert "Whoever runs this copy can install it" in ben.get("/models/").content.decode()


def test_at_home_whoever_is_signed_in_installs(begun: list[str]) -> None:
    """On a machine that serves itself alone, nobody has to look for the owner link first."""
    signed_in_client(make_person("ada")).post(BETTER)
    assert begun == ["story-1.5b"]


@pytest.mark.parametrize(
    "open_to", [{"host": "0.0.0.0"}, {"proxy": "127.0.0.1"}, {"allowed_hosts": ("mindstage.home.arpa",)}]
)
def test_where_others_can_come_a_stranger_installs_nothing(
    open_to: dict[str, Any], begun: list[str], settings: Any
) -> None:
    """Over the network, behind a proxy or under a name of its own: before the owner came, nobody takes the disk."""
    settings.MINDSTAGE = replace(settings.MINDSTAGE, **open_to)
    assert signed_in_client(make_person("ada")).post(BETTER).status_code == 403
    assert begun == []


def test_a_model_that_nobody_knows_is_not_there() -> None:
    assert signed_in_client(make_person("ada")).get("/models/no-such/installation/").status_code == 404


@pytest.mark.parametrize(("size", "said"), [(98_362_432, "98 MB"), (1_117_320_768, "1.1 GB")])
def test_sizes_are_said_as_people_say_them(size: int, said: str) -> None:
    assert size_label(size) == said
