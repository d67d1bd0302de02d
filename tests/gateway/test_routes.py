"""Who narrates, where, and what the page says about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mindstage.config.configuration import ProviderEntry
from mindstage.gateway import tokens
from mindstage.gateway.ai_models.catalogue import SMOLLM2, STORY_1_5B, locate
from mindstage.gateway.routes import UnknownRoute, default_route, disclosure, route, routes
from mindstage.prompts.dialects import DIALECTS
from mindstage.prompts.tokens import conservative

REMOTE = ProviderEntry(
    id="house", base_url="http://127.0.0.1:9/v1/", api_key_env="HOUSE_KEY", models=("a", "b"), region="EU",
    retains="30 days", trains="no", context=16_000,
)  # fmt: skip


def test_an_operators_provider_leads_and_the_page_says_where_words_go(
    configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key comes out of the environment, its first model answers, its region is named."""
    monkeypatch.setenv("HOUSE_KEY", "sk-1\r\n")  # as files of other systems end their lines
    configuration(providers=(REMOTE,))
    first = default_route()
    assert (first.id, first.base_url, first.api_key, first.leaves) == ("house/a", "http://127.0.0.1:9/v1", "sk-1", True)
    assert disclosure(first) == "Narrated by AI · a · your words go to house in EU"
    assert disclosure(replace(first, place="this machine")).endswith("your words go to house on this machine")
    assert disclosure(replace(first, place="")).endswith("your words go to house in a place its operator does not name")
    assert route("house/b").retains == "30 days"
    assert tokens.counter(first)("The bell rang twice.") == conservative("The bell rang twice.")


def test_the_better_model_of_this_machine_answers_once_it_is_here(configuration, tmp_path: Path) -> None:
    """Installing it is choosing it; the tiny one stays to be chosen."""
    here = locate(SMOLLM2, models_dir=tmp_path / "models") is not None
    assert default_route().id == "embedded/smollm2"
    models = tmp_path / "models"
    models.mkdir()
    with (models / STORY_1_5B.file_name).open("wb") as file:
        file.truncate(STORY_1_5B.size)
    assert default_route().id == "embedded/story-1.5b"
    assert [one.id for one in routes()][1:] == (["embedded/smollm2"] if here else [])
    assert disclosure(default_route()) == "Narrated by AI · Story 1.5B on this machine · nothing leaves"


def test_a_half_installed_model_does_not_answer(configuration, tmp_path: Path) -> None:
    """Only a file of the exact size counts."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / STORY_1_5B.file_name).write_bytes(b"GGUF half")
    assert default_route().id == "embedded/smollm2"


def test_a_file_of_ones_own_is_a_route(configuration, tmp_path: Path) -> None:
    """By its path, on this machine, named by its file."""
    configuration(providers=(ProviderEntry(id="mine", kind="embedded", path=str(tmp_path / "tale.gguf")),))
    own = default_route()
    assert (own.id, own.title, own.leaves, own.path) == ("mine/tale", "tale", False, tmp_path / "tale.gguf")
    assert tokens.counter(own)("The bell rang twice.") == conservative("The bell rang twice.")


def test_a_route_that_is_gone_is_unknown(configuration) -> None:
    """A story may remember a narrator that the operator has taken away."""
    with pytest.raises(UnknownRoute):
        route("house/a")
    assert route("embedded/smollm2").tiny


def test_every_model_is_asked_in_a_way_that_exists() -> None:
    """The prompts room knows each dialect that the catalogue names."""
    assert {model.dialect for model in (SMOLLM2, STORY_1_5B)} <= set(DIALECTS)
