"""Every address is shut unless it is on the list of open ones: for strangers, and for what belongs to somebody else.

The addresses are read out of the program, so that a new one fails here until it is told apart.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import textwrap
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from library import card_makers as make
from mindstage.accounts.models import Factor, Session, User
from mindstage.accounts.sessions import begin_session
from mindstage.config import planes
from mindstage.kit import clock
from mindstage.library.characters import import_character
from mindstage.library.models import Character
from mindstage.library.staging import stage_parts_of_starter
from mindstage.library.starters import starters
from mindstage.library.trash import trash_character
from mindstage.rights.export import request_export
from mindstage.stories import revisions
from mindstage.stories.beginnings import begin_story
from mindstage.stories.database_thread import start_database_thread, stop_database_thread
from mindstage.stories.endpoint import StreamPlane
from mindstage.stories.generation import Narration
from mindstage.stories.models import Segment, Story, Turn
from mindstage.streaming.bus import Bus
from people import make_person, signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)

OPEN = {
    "home": "the landing page",
    "account_new": "sign up",
    "session_new": "log in",
    "session_end": "log out, which does nothing for a stranger",
    "second_factor": "the second step of a log-in: leads to the first without it",
    "recovery": "log in with a code off the sheet",
    "email_recovery": "a letter to an address, if it is somebody's",
    "email_recovery_code": "log in with the code of that letter",
    "passkey_options": "a challenge, which opens nothing",
    "passkey_answer": "log in by a passkey, or make an account with one",
    "owner": "the one-time link is its own key",
    "scenario": "what comes with the program",
    "asset": "styles and scripts",
    "theme": "a cookie of the browser's own",
    "models": "who narrates, and where",
    "policy": "what is done with people's data",
    "policy_version": "the same, an earlier or a coming version",
    "policy_changes": "what changed in it",
    "policy_difference": "the same for programs",
    "policy_feed": "the same for news readers",
    "receipt": "whoever has a claim code, without an account",
    "receipt_check": "whether a receipt is genuine",
    "receipt_offline": "the same as one file that needs nobody",
    "data_map": "the data map",
    "data_map_schema": "how the data map is written",
    "signing_key": "the public key that checks exports, receipts and reports of a restore",
    "transparency": "how old the oldest record of each kind is",
    "retention": "the same for programs",
    "gpc": "that Global Privacy Control is honoured",
}
"""Addresses that answer everybody -> why."""

OWN = {
    "account",
    "handle",
    "passphrase",
    "passphrase_removal",
    "sessions_end",
    "passkeys",
    "email",
    "email_code",
    "email_removal",
    "totp",
    "totp_removal",
    "recovery_codes",
    "recovery_codes_new",
    "proof",
    "installation",
    "characters",
    "character_new",
    "stories",
    "policy_notice",
    "consents",
    "consent",
    "exports",
    "imports",
    "your_data",
    "freeze",
    "freeze_end",
    "erasures",
    "erasure_end",
    "trash_page",
}
"""Addresses for whoever is signed in, that name nobody's object."""

OBJECTS = {
    "session_one_end",
    "passkey_name",
    "passkey_removal",
    "character",
    "character_edit",
    "portrait",
    "story",
    "turns",
    "turn",
    "variants",
    "choice",
    "trash",
    "trash_undo",
    "turn_end",
    "story_trash",
    "story_names",
    "character_trash",
    "item_undo",
    "item_end",
    "branches",
    "branch",
    "story_branches",
    "draft",
    "context",
    "export_end",
}
"""Addresses that name an object of somebody: for all others there is nothing."""

STREAMS = {
    ("POST", "stories", "*", "turns"),
    ("POST", "stories", "*", "replies"),
    ("GET", "runs", "*"),
    ("POST", "runs", "*", "stop"),
}
"""The routes of the raw plane. Each names an object of somebody."""

PLANES = {"/healthz", "/stream/", "/stream/exports/"}
"""Addresses that the pages never see."""

SHUT = {401, 403, 404, 405}


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


@pytest.fixture
def house(vault: None) -> House:
    ada, cleo = make_person("ada"), make_person("cleo")
    User.objects.filter(pk=ada.pk).update(owner=True)
    parts = stage_parts_of_starter(starters()[0], "Ada")
    story, other = (begin_story(owner=one.pk, parts=parts, greeting=0, persona="Ada") for one in (ada, cleo))
    turn = Turn.objects.get(story=story)
    reply = Turn(story=story, segment=story.head, position=1, kind=Turn.Kind.REPLY).seal(text="Rain.")
    reply.save(force_insert=True)
    segment = revisions.branch_from(story=story, turn=turn)
    character = import_character(owner=ada.pk, data=make.to_json(make.v2()))
    begin_session(ada, "computer")
    session = Session.objects.filter(account=ada).first()
    assert session
    item = import_character(owner=ada.pk, data=make.to_json(make.v2()))
    trash_character(character=item)
    names = {
        "export": request_export(owner=ada.pk).pk,
        "item": item.pk,
        "character": character.pk,
        "turn": turn.pk,
        "segment": segment.pk,
        "session": session.ident,
    }
    passkey = Factor(account=ada, kind=Factor.Kind.PASSKEY)
    passkey.seal(sealed='{"name": "A key", "host": "localhost", "added": "2026-01-01"}').save(force_insert=True)
    names["passkey"] = passkey.pk
    return House(ada, cleo, story, turn, reply, segment, other, names)


@pytest.fixture
def plane(house: House) -> Iterator[StreamPlane]:
    database = start_database_thread()
    yield StreamPlane(Narration(bus=Bus(), database=database))
    stop_database_thread()


def patterns() -> Iterator[tuple[str, str]]:
    """(name, route) of every page."""

    def walk(found: list[Any], before: str) -> Iterator[tuple[str, str]]:
        for one in found:
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, before + str(one.pattern))
            elif isinstance(one, URLPattern):
                yield one.name or "", f"/{before}{one.pattern}"

    return walk(get_resolver("mindstage.config.urls").url_patterns, "")


def address(house: House, name: str, route: str) -> str:
    """A route with the identifiers of Ada's things, and plausible words elsewhere."""
    owner = (
        house.names["character"]
        if name in ("character", "character_edit", "portrait", "character_trash")
        else house.story.pk
    )
    owner = house.names["export"] if name == "export_end" else owner
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
        "variant": str(house.turn.pk),
        "character": str(house.names["character"]),
        "greeting": "0",
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


def test_every_address_is_told_apart() -> None:
    """A new page fails here until it is on one of the three lists, and no list names a page that is gone."""
    names = [name for name, _ in patterns()]
    assert "" not in names
    assert len(names) == len(set(names))
    assert set(names) == OPEN.keys() | OWN | OBJECTS
    assert not OPEN.keys() & OWN
    assert not (OPEN.keys() | OWN) & OBJECTS
    for name, route in patterns():
        assert ("<uuid:" in route) == (name in OBJECTS), f"{name}: whatever names an object belongs to somebody"


def test_every_route_of_the_raw_plane_is_told_apart() -> None:
    """The same for what no page answers: the cases of the raw plane, and the paths that the planes know."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(StreamPlane._answer)))
    cases = [node.pattern for node in ast.walk(tree) if isinstance(node, ast.match_case)]
    routes = {
        tuple(str(part.value.value) if isinstance(part, ast.MatchValue) else "*" for part in case.patterns)  # type: ignore[attr-defined]
        for case in cases
        if isinstance(case, ast.MatchSequence)
    }
    assert routes == STREAMS
    assert len(cases) == len(STREAMS) + 1  # the rest: there is nothing
    literals = {
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(planes.Application)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/")
    }
    assert literals == PLANES


def test_a_stranger_is_shut_out(house: House) -> None:
    """Without a session every page but the open ones refuses or leads to the door, and nothing changes."""
    before = everything()
    for name, route in patterns():
        for method in ("GET", "POST"):
            for headers in ({}, {"Sec-Fetch-Dest": "empty", "X-Partial": "1"}):
                path = address(house, name, route)
                answer = ask(Client(), method, path, fields(house), **headers)
                assert name in OPEN or is_shut(answer), (method, name, answer.status_code)
                assert answer.status_code < 500, (method, name)
    assert everything() == before


def test_a_made_up_cookie_opens_nothing(house: House) -> None:
    """Neither does a session's identifier, nor the hash that stands in the database."""
    row = Session.objects.get(account=house.ada)
    for value in ("x", row.ident.hex, bytes(row.key_hash).hex(), "é" * 40):
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = value
        for name, route in patterns():
            if name not in OPEN:
                assert is_shut(ask(client, "GET", address(house, name, route), {})), name


def test_somebody_else_finds_nothing(house: House) -> None:
    """Cleo, signed in, gets 404 or 403 for each thing of Ada's, by every method, and nothing changes."""
    client = signed_in_client(house.cleo)
    before = everything()
    for name, route in patterns():
        if name not in OBJECTS:
            continue
        for method in ("GET", "POST"):
            for headers in ({}, {"X-Partial": "1"}):
                answer = ask(client, method, address(house, name, route), fields(house), **headers)
                assert answer.status_code in SHUT, (method, name, answer.status_code)
    assert everything() == before


def test_somebody_elses_things_inside_ones_own(house: House) -> None:
    """Ada's turn, branch, version or character under an address of Cleo's own story is nothing either."""
    client = signed_in_client(house.cleo)
    before = everything()
    mine = Turn.objects.get(story=house.cleos_story)
    for name, route in patterns():
        if "<uuid:turn>" in route or "<uuid:segment>" in route:
            path = address(house, name, route).replace(str(house.story.pk), str(house.cleos_story.pk))
            for method in ("GET", "POST"):
                answer = ask(client, method, path, fields(house))
                assert answer.status_code in SHUT | {400}, (method, name, answer.status_code)
    choice = f"/stories/{house.cleos_story.pk}/turns/{mine.pk}/choice/"
    assert client.post(choice, fields(house)).status_code in SHUT | {400}
    assert client.post("/stories/", fields(house)).status_code == 404
    assert everything() == before


def test_only_the_owner_installs(house: House) -> None:
    """An instance with an owner takes no model from anybody else."""
    assert signed_in_client(house.cleo).post("/models/story-1.5b/installation/").status_code == 403


def test_the_owner_of_a_thing_gets_it(house: House) -> None:
    """The control: the same addresses answer Ada, so that the refusals above are about who asks."""
    client = signed_in_client(house.ada)
    for name, route in patterns():
        if name in OBJECTS - {"portrait"}:
            Story.objects.update(trashed_on=None)
            Character.objects.exclude(pk=house.names["item"]).update(trashed_on=None)
            Character.objects.filter(pk=house.names["item"]).update(trashed_on=clock.today())
            answers = [ask(client, method, address(house, name, route), fields(house)) for method in ("GET", "POST")]
            assert any(answer.status_code not in SHUT for answer in answers), name
            assert not any(answer.headers.get("Location", "").startswith("/session/new/") for answer in answers)


def test_no_form_is_taken_without_its_token(house: House) -> None:
    """A POST to any page, by Ada herself, without the form's token: 403, and nothing changes."""
    client = signed_in_client(house.ada, enforce_csrf_checks=True)
    before = everything()
    for name, route in patterns():
        status = ask(client, "POST", address(house, name, route), fields(house)).status_code
        assert status == 403 or (status in (404, 405) and name in {"asset", "owner"}), (name, status)
    assert everything() == before


def stream(plane: StreamPlane, method: str, path: str, *, cookie: str = "", body: bytes = b"{}", **more: str) -> int:
    """The status of the raw plane's answer."""
    headers = {"host": "localhost", "cookie": f"session={cookie}", "sec-fetch-site": "same-origin"} | {
        name.replace("_", "-"): value for name, value in more.items()
    }
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if message["type"] == "http.response.start" else [])

    asyncio.run(plane(scope, receive, send))  # type: ignore[arg-type]
    return statuses[0]


def raw_requests(house: House) -> Iterator[tuple[str, str, bytes]]:
    """Every route of the raw plane with Ada's identifiers, and a body that would do something."""
    asked = f'"client_turn_id": "{uuid.uuid4()}"'
    bodies = {
        "turns": f'{{"mode": "do", "text": "I knock.", {asked}}}',
        "replies": f'{{"act": "regenerate", "turn": "{house.reply.pk}", {asked}}}',
    }
    for method, kind, *rest in sorted(STREAMS):
        ident = house.story.pk if kind == "stories" else house.reply.pk
        path = "/".join(["/stream", kind, str(ident), *rest[1:]])
        yield method, path, bodies.get(rest[-1], "{}").encode()


def test_the_raw_plane_is_shut_to_strangers(house: House, plane: StreamPlane) -> None:
    """No session: 401. A made-up one: 401. Any other path: 404."""
    before = everything()
    for method, path, body in raw_requests(house):
        assert stream(plane, method, path, body=body) == 401, path
        assert stream(plane, method, path, body=body, cookie="made-up") == 401, path
    for path in ("/stream/", "/stream/stories", f"/stream/stories/{house.story.pk}", "/stream/runs/x"):
        assert stream(plane, "GET", path) == 404
    assert everything() == before


def test_the_raw_plane_knows_whose_story_it_is(house: House, plane: StreamPlane) -> None:
    """Cleo: 404 for each of Ada's, also inside her own story; a page of another site: 403, even with Ada's cookie."""
    before = everything()
    cleo, ada = begin_session(house.cleo, "computer"), begin_session(house.ada, "computer")
    rows = len(everything())
    for method, path, body in raw_requests(house):
        assert stream(plane, method, path, body=body, cookie=cleo) == 404, path
        for more in ({"origin": "https://elsewhere.example"}, {"sec_fetch_site": "cross-site"}):
            if method == "POST" or "origin" in more:
                assert stream(plane, method, path, body=body, cookie=ada, **more) == 403, path
        assert stream(plane, method, path, body=body, cookie=ada, host="elsewhere.example") == 400, path
    body = f'{{"act": "regenerate", "turn": "{house.reply.pk}", "client_turn_id": "{uuid.uuid4()}"}}'.encode()
    assert stream(plane, "POST", f"/stream/stories/{house.cleos_story.pk}/replies", body=body, cookie=cleo) == 404
    assert len(everything()) == rows
    assert [row for row in before if row not in everything()] == []
