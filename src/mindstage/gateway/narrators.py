"""The narrators page: who can answer here, and what else could be installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mindstage.gateway.ai_models import installing
from mindstage.gateway.ai_models.catalogue import CATALOGUE, AiModel
from mindstage.gateway.routes import EMBEDDED, Route, default_route, disclosure, routes

MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation as the page shows it. `url`: where to ask how far it is."""

    id: str
    url: str
    share: float
    say: str
    state: Literal["running", "failed", "done"]


@dataclass(frozen=True, slots=True)
class Narrator:
    """One narrator as the page shows it."""

    id: str
    title: str
    disclosure: str
    note: str
    leaves: bool = False
    active: bool = False
    tiny: bool = False
    installable: bool = False
    stoppable: bool = False
    size_label: str = ""
    installation: Installation | None = None


def list_narrators(*, may_install: bool, url_of: dict[str, str]) -> list[Narrator]:
    """Every narrator that can answer, then the models of the catalogue that are not here yet."""
    here = routes()
    installed = {route.model for route in here if route.provider_id == EMBEDDED}
    absent = [model for model in CATALOGUE if model.id not in installed]
    active = default_route()
    shown = [_of_route(route, active=route == active) for route in here]
    return shown + [describe_model(model, may_install=may_install, url=url_of[model.id]) for model in absent]


def describe_model(model: AiModel, *, may_install: bool, url: str) -> Narrator:
    """A model of the catalogue: installable, on its way (and then it can be stopped), or not come."""
    standing = installing.standing(model.id)
    installation = None
    if standing.state != "absent":
        say = {"running": f"Installing: {standing.share:.0%}", "installed": "Installed. New turns can use it now."}
        state: Literal["running", "failed", "done"] = "done"
        if standing.state in ("running", "failed"):
            state = standing.state
        installation = Installation(model.id, url, standing.share, say.get(standing.state, standing.sentence), state)
    return Narrator(
        id=model.id,
        title=model.title,
        disclosure="Runs on this machine once it is installed; nothing leaves",
        note=model.summary if may_install else f"{model.summary} Whoever runs this copy can install it.",
        tiny=model.tiny,
        installable=may_install and standing.state in ("absent", "failed"),
        stoppable=may_install and standing.state == "running",
        size_label=size_label(model.size),
        installation=installation,
    )


def size_label(size: int) -> str:
    """Bytes as people say them."""
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE else f"{size / MEGABYTE:.0f} MB"


def _of_route(route: Route, *, active: bool) -> Narrator:
    known = {model.id: model.summary for model in CATALOGUE}
    stance = " ".join(
        sentence
        for sentence in (
            f"Keeps what it is sent: {route.retains}." if route.retains else "",
            f"Trains on it: {route.trains}." if route.trains else "",
        )
        if sentence
    )
    return Narrator(
        id=route.id.replace("/", "-"),
        title=route.title,
        disclosure=disclosure(route),
        note=stance if route.leaves else known.get(route.model, "A model file that whoever runs this copy brought."),
        leaves=route.leaves,
        active=active,
        tiny=route.tiny,
    )
