"""A house with two people, requests to every address in it, and what the database holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.http import HttpResponse
from django.test import Client

from doors.addresses import SHUT
from mindstage.accounts.models import User
from mindstage.library.starters import starters
from mindstage.stories.models import Segment, Story, Turn


@dataclass(frozen=True)
class House:
    """Ada, who owns the instance and everything in it, and Cleo, who has a story of her own."""

    ada: User
    cleo: User
    story: Story
    turn: Turn
    reply: Turn
    segment: Segment
    cleos_story: Story
    names: dict[str, Any]


def address(house: House, name: str, route: str) -> str:
    """A route with the identifiers of Ada's things, and plausible words elsewhere."""
    owner = (
        house.names["character"]
        if name in ("character", "character_edit", "portrait", "picture", "character_trash")
        else house.story.pk
    )
    owner = house.names["export"] if name == "export_end" else owner
    kind = next((kind for kind in ("persona", "lorebook", "scenario") if name.startswith(f"own_{kind}")), None)
    owner = house.names[kind] if kind else owner
    filled = {
        "<uuid:ident>": owner,
        "<uuid:turn>": house.names["turn"],
        "<uuid:segment>": house.names["segment"],
        "<uuid:session>": house.names["session"],
        "<uuid:passkey>": house.names["passkey"],
        "<uuid:item>": house.names["item"],
        "<slug:slug>": starters()[0].slug,
        "<str:token>": "a-link-of-nobody",
        "<str:name>": "mindstage.css",
        "<str:model_id>": "story-1.5b",
        "<int:number>": "1",
        "<str:purpose>": "training",
    }
    for placeholder, value in filled.items():
        route = route.replace(placeholder, str(value))
    assert "<" not in route, f"{name} has a part that this test does not know: {route}"
    return route


def fields(house: House) -> dict[str, str]:
    """A form that would do something at every address."""
    return {
        "text": "A line by somebody else.",
        "mode": "do",
        "act": "retry",
        "variant": str(house.turn.pk),
        "character": str(house.names["character"]),
        "greeting": "0",
        "as": str(house.names["persona"]),
        "books": str(house.names["lorebook"]),
        "persona": "Nobody",
    }


def ask(client: Client, method: str, path: str, form: dict[str, str], **headers: str) -> HttpResponse:
    answer: Any = client.get(path, headers=headers) if method == "GET" else client.post(path, form, headers=headers)
    return answer  # type: ignore[no-any-return]


def is_shut(answer: HttpResponse) -> bool:
    """Refused, or led to the door."""
    return answer.status_code in SHUT or (
        answer.status_code == 302 and answer.headers["Location"].startswith("/session/new/")
    )


def everything() -> list[tuple[Any, ...]]:
    """Every row of both databases."""
    return [row for model in apps.get_models() for row in model._default_manager.order_by("pk").values_list()]
