"""Which narrator answers, where it runs, and what is said about it on the page."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final, Literal, Protocol

from django.conf import settings

from mindstage.gateway.ai_models.catalogue import CATALOGUE, LIVELY, SMOLLM2, AiModel, locate

EMBEDDED: Final = "embedded"
HERE: Final = "this machine"
REPLY_TOKENS: Final = 600


class Entry(Protocol):
    """One `[[provider]]` of the operator's configuration."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> Literal["openai", "embedded"]: ...
    @property
    def base_url(self) -> str: ...
    @property
    def api_key_env(self) -> str: ...
    @property
    def models(self) -> tuple[str, ...]: ...
    @property
    def region(self) -> str: ...
    @property
    def retains(self) -> str: ...
    @property
    def trains(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def context(self) -> int: ...


class UnknownRoute(Exception):
    """The configuration no longer has this narrator."""


@dataclass(frozen=True, slots=True)
class Route:
    """One provider and one of its models. `context` and `reply` are tokens; `path` is the file of an embedded one."""

    provider_id: str
    kind: Literal["embedded", "openai"]
    model: str
    title: str
    place: str
    leaves: bool
    context: int
    reply: int
    dialect: str
    base_url: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    retains: str = ""
    trains: str = ""
    path: Path | None = field(default=None, repr=False)
    sampling: dict[str, float | int] = field(default_factory=dict, repr=False, compare=False)
    tiny: bool = False

    @property
    def id(self) -> str:
        """A name for rows and forms; it is stable while the configuration is."""
        return f"{self.provider_id}/{self.model}"


def routes() -> list[Route]:
    """Return every narrator that can answer now, the one that answers unless told first.

    An operator's own providers lead; then the better one of the models on this machine.
    """
    return list(_all())


def default_route() -> Route:
    """Return the narrator of a new story. With none installed it is still the tiny one, whose call then says so."""
    return next(_all(), _of_model(SMOLLM2, path=None))


def route(route_id: str) -> Route:
    """Return the narrator of that id; raises UnknownRoute."""
    for candidate in chain(_all(), [_of_model(SMOLLM2, path=None)]):
        if candidate.id == route_id:
            return candidate
    raise UnknownRoute


def chosen_route(chosen: str) -> Route:
    """The narrator that a story chose; when it chose none, or it is no longer there, the instance's default."""
    try:
        return route(chosen) if chosen else default_route()
    except UnknownRoute:
        return default_route()


def disclosure(route: Route) -> str:
    """Return the line under every reply: who narrates, where, and what leaves."""
    if not route.leaves:
        return f"Narrated by AI · {route.title} on {HERE} · nothing leaves"
    where = f"on {HERE}" if route.place == HERE else f"in {route.place or 'a place its operator does not name'}"
    return f"Narrated by AI · {route.title} · your words go to {route.provider_id} {where}"


def _all() -> Iterator[Route]:
    """Every narrator, one by one, so that a turn with the first does not look for the others on the disk."""
    return chain(_configured(), _installed())


def _configured() -> Iterator[Route]:
    return (route for entry in settings.MINDSTAGE.providers for route in _of_entry(entry))


def _installed() -> Iterator[Route]:
    for model in reversed(CATALOGUE):
        if path := locate(model, models_dir=settings.MINDSTAGE.models_dir):
            yield _of_model(model, path=path)


def _of_entry(entry: Entry) -> Iterable[Route]:
    if entry.kind == EMBEDDED:
        yield _of_file(entry)
        return
    for model in entry.models:
        yield Route(
            provider_id=entry.id,
            kind="openai",
            model=model,
            title=model,
            place=entry.region,
            leaves=True,
            context=entry.context,
            reply=min(REPLY_TOKENS, entry.context // 4),
            dialect="chat",
            base_url=entry.base_url.rstrip("/"),
            api_key=os.environ.get(entry.api_key_env, "").strip() if entry.api_key_env else "",
            retains=entry.retains,
            trains=entry.trains,
        )


def _of_file(entry: Entry) -> Route:
    path = Path(entry.path).expanduser()
    return Route(
        provider_id=entry.id,
        kind=EMBEDDED,
        model=entry.models[0] if entry.models else path.stem,
        title=entry.models[0] if entry.models else path.stem,
        place=HERE,
        leaves=False,
        context=min(entry.context, 4_096),
        reply=min(REPLY_TOKENS, entry.context // 4),
        dialect="chat",
        path=path,
        sampling=LIVELY,
    )


def _of_model(model: AiModel, *, path: Path | None) -> Route:
    return Route(
        provider_id=EMBEDDED,
        kind=EMBEDDED,
        model=model.id,
        title=model.title,
        place=HERE,
        leaves=False,
        context=model.context,
        reply=model.reply,
        dialect=model.dialect,
        path=path,
        sampling=model.sampling,
        tiny=model.tiny,
    )
