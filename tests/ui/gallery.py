# ruff: noqa: E501, ISC004  sample texts are lines of prose
"""Every page with sample contexts, and a narrator that answers from a list: the look and the scripts without the rooms.

The names of the variables here are the contract between views and templates.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from mindstage.ui import prose
from mindstage.ui import views as ui

STORY = uuid.UUID(int=7)
NOW = datetime(2026, 11, 20, 21, 6, tzinfo=UTC)
WORDS = (
    "The flame considers this, the way a clerk considers a coin from a country that has changed its name. "
    "Then it bows, and *one by one* the lamps bow with it.\n\nSomewhere a shutter closes."
)


@dataclass(frozen=True)
class TurnView:
    id: uuid.UUID
    position: int
    kind: str
    speaker: str
    text: str
    state: str = "finished"
    problem: str = ""
    variant_number: int = 1
    variant_count: int = 1
    variant_ids: tuple[uuid.UUID | None, uuid.UUID | None] = (None, None)
    is_last: bool = False
    edited: bool = False

    @property
    def html(self) -> str:
        return prose.render(prose.spoken(self.text) if self.kind == "say" else self.text)

    @property
    def mine(self) -> bool:
        return self.kind in ("do", "say", "story", "ooc")


@dataclass
class Stage:
    """What the gallery's story holds; a test may set it up."""

    turns: list[TurnView] = field(default_factory=list)
    drafts: list[dict[str, str]] = field(default_factory=list)
    draft_gate: threading.Event | None = None
    draft_refusals: list[tuple[int, str]] = field(default_factory=list)
    takes: list[dict[str, Any]] = field(default_factory=list)
    words: str = WORDS
    pace: float = 0.02
    refusal: tuple[int, str] | None = None
    cut_after: int | None = None
    ending: str = "finished"
    running: dict[str, Any] | None = None
    stopped: bool = False
    drops: int = 0
    cut_resumed: bool = False
    person: bool = True
    nothing: bool = False

    def reset(self, count: int = 6) -> None:
        self.__init__()  # type: ignore[misc]
        lines = [
            (
                "opening",
                "",
                "By the last bell the canal has drawn down to its ribs. Steps nobody has stood on since "
                "spring come up green and shining out of the water, and with them the smell of iron, and old bread, and "
                "something that might once have been roses.\n\nOswin sets the ladder against the ninth post. Then he does "
                "a thing he has not done at the others. He takes off his hat.",
            ),
            ("say", "Nora", "And is it like the rest?"),
            (
                "reply",
                "Oswin Tarn",
                "“The ninth lamp has never gone out. We light the others so that nobody counts.”\n\n"
                "On the far bank a shutter opens a hand’s width, and stays that way. See [the map](https://maps.example/v).",
            ),
            ("do", "Nora", "I climb to the top of the ladder and hold my hand close to the glass."),
            (
                "reply",
                "",
                "The glass is cold. It should not be; there is a fire behind it. You lean closer, and the "
                "flame leans too, with great courtesy, until there is no more than a breath between you.",
            ),
            ("ooc", "", "Could we keep Pim out of danger tonight?"),
        ]
        for position in range(count):
            kind, speaker, text = lines[position % 6 if position else 0]
            if position and kind == "opening":
                kind = "reply"
            self.turns.append(TurnView(uuid.uuid4(), position, kind, speaker, text))


stage = Stage()


def person(request: HttpRequest) -> dict[str, Any]:
    return {"person": type("Person", (), {"handle": "nora"})() if stage.person else None}


def every_page(request: HttpRequest) -> dict[str, Any]:
    theme = request.COOKIES.get("theme", "")
    return {"theme": theme if theme in ("light", "dark") else "", "instance_name": "Harbour Reading Room"}


STARTERS = [
    {"slug": slug, "title": title, "tagline": line, "genre": genre}
    for slug, title, line, genre in (
        ("lamp", "The Lamplighter of Vell", "Learn to light nine lamps. Don’t ask about the last.", "Quiet fantasy"),
        ("salt", "Salt Year", "The sea went out a year ago and has not come back.", "Slow disaster"),
        ("mutiny", "A Quiet Mutiny", "Eleven sailors, one boat, nobody raises a voice.", "At sea"),
        ("doors", "Seven Doors to Winter", "A hotel counts its rooms, and one is new.", "Uncanny"),
        ("train", "Night Train to Osmery", "You have the wrong ticket for the right train.", "Noir"),
        ("orchard", "The Orchard Below", "Something under the roots remembers your family.", "Folk horror"),
    )
]
CHARACTERS = [
    {"id": uuid.UUID(int=3), "name": "Oswin Tarn", "line": "An old lamplighter with one good ear."},
    {"id": uuid.UUID(int=4), "name": "Captain Breck x", "line": "Captain of the canal watch; owes a debt."},
]


def card(title: str, excerpt: str, days: int, turns: int) -> dict[str, Any]:
    when = NOW - timedelta(days=days)
    return {
        "id": STORY,
        "title": title,
        "byline": "with Oswin",
        "excerpt": excerpt,
        "turns": turns,
        "when": when,
        "url": f"/stories/{STORY}/",
    }


def home(request: HttpRequest) -> HttpResponse:
    if not stage.person:
        return render(request, "library/landing.html", {"starters": STARTERS})
    resume = card(
        "The Lamplighter of Vell",
        "“The ninth lamp has never gone out,” Oswin says, and does not look at it. “We light the others so that nobody counts.”",
        1,
        32,
    )
    also = [
        card("A Quiet Mutiny", "The cook sets down two bowls and asks, lightly, which of you is still hungry.", 4, 58),
        card(
            "Night Train to Osmery",
            "The conductor punches your ticket twice. The second hole is shaped like a key.",
            20,
            12,
        ),
        card(
            "Seven Doors to Winter",
            "Room five is warm. You are quite sure that room five was shut on Tuesday.",
            90,
            104,
        ),
    ]
    some = {"resume": resume, "also": also, "characters": CHARACTERS, "story_count": 7}
    none = {"resume": None, "also": [], "characters": [], "story_count": 0}
    return render(request, "library/home.html", {**(none if stage.nothing else some), "starters": STARTERS})


def scenario(request: HttpRequest, slug: str) -> HttpResponse:
    opening = prose.render("By the last bell the canal has drawn down to its ribs.\n\nOswin takes off his hat.")
    starter = {
        **STARTERS[0],
        "premise": "Vell is lit by nine lamps, and nobody born there will say why the ninth is never let go out. You have come on the night boat, with someone else’s letter, to be the new apprentice.",
        "persona_hint": "The apprentice has no name yet.",
        "lore_count": 5,
        "cast": [
            {"name": "Oswin Tarn", "role": "Lamplighter, forty years. Hears on the left side only."},
            {"name": "Pim the ferrier", "role": "The ferrier’s boy. Nine, or says so."},
        ],
        "openings": [(0, "At low water", opening), (1, "On the night boat", opening)],
    }
    return render(request, "library/scenario.html", {"starter": starter})


def characters(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        if b"bad" in request.FILES["card"].read():
            sentence = "This file is not a character card: it is neither JSON nor PNG. Nothing was kept."
            return render(request, "library/character_new.html", {"problem": sentence}, status=422)
        return HttpResponseRedirect("/characters/00000000-0000-0000-0000-000000000003/")
    return render(request, "library/characters.html", {"characters": CHARACTERS})


def character(request: HttpRequest, character_id: uuid.UUID) -> HttpResponse:
    greeting = prose.render(
        "*He looks up from the wick.* “You’ll be told this one’s like the rest. Say yes when they tell you.”"
    )
    about = {
        "id": character_id,
        "name": "Oswin Tarn",
        "creator": "Ada Renn",
        "creator_notes": prose.render("Best in **slow** scenes."),
        "tags": ["lamps", "quiet"],
        "greetings": [(0, greeting), (1, greeting)],
        "has_portrait": False,
        "notices": ["This card carries a script of its own. Mindstage keeps it and never runs it."],
    }
    return render(request, "library/character.html", {"character": about})


class SignUp(forms.Form):
    handle = forms.CharField()
    passphrase = forms.CharField()
    age_band = forms.ChoiceField(choices=[("under_13", ""), ("13_17", ""), ("18_plus", "")])


class Change(forms.Form):
    old = forms.CharField(label="Your passphrase now")
    new = forms.CharField(label="The new one", help_text="At least 12 characters.")


def account_new(request: HttpRequest) -> HttpResponse:
    form = SignUp(request.POST or None)
    if request.method == "POST" and not form.is_valid():
        form.add_error(None, "Nothing was stored.")
    return render(request, "accounts/sign_up.html", {"form": form, "next": ""})


def session_new(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/sign_in.html", {"form": SignUp(request.POST or None), "next": ""})


def account(request: HttpRequest) -> HttpResponse:
    sessions = [
        {"id": "a", "device": "Firefox on Linux", "began": NOW, "seen": NOW, "current": True},
        {"id": "b", "device": "Safari on iPhone", "began": NOW, "seen": NOW, "current": False},
    ]
    return render(
        request,
        "accounts/account.html",
        {
            "handle": "nora",
            "age_band_label": "18 or over",
            "sessions": sessions,
            "passphrase_form": Change(),
            "has_passphrase": True,
            "needs_old": True,
            "codes_left": 9,
            "passkeys": [{"name": "My phone"}],
            "notices": [{"text": "A passkey was added.", "made_on": NOW}],
            "email": "nora@example.net",
            "sends_mail": True,
            "notice": "The passphrase is changed.",
        },
    )


def models(request: HttpRequest) -> HttpResponse:
    narrators = [
        {
            "id": "smollm2",
            "title": "SmolLM2",
            "disclosure": "On this machine · nothing leaves",
            "leaves": False,
            "note": "Quick and small: it shows how everything works, and soon loses the thread. For real stories install the one below.",
            "active": True,
            "tiny": True,
            "installable": False,
            "installation": None,
        },
        {
            "id": "story-1.5b",
            "title": "Story 1.5B",
            "disclosure": "On this machine · nothing leaves",
            "leaves": False,
            "note": "Writes well enough to be carried along.",
            "active": False,
            "tiny": False,
            "installable": True,
            "size_label": "1.2 GB",
            "installation": {
                "id": "story-1.5b",
                "url": "/models/story-1.5b/installation/",
                "share": 0.37,
                "say": "9 of 22 parts are here and checked.",
                "state": "running",
            },
        },
        {
            "id": "away",
            "title": "A server elsewhere",
            "disclosure": "Via Example, Ireland · the prompt leaves this machine",
            "leaves": True,
            "note": "",
            "active": False,
            "tiny": False,
            "installable": False,
            "installation": None,
        },
    ]
    return render(request, "ui/models.html", {"narrators": narrators})


def installation(request: HttpRequest, model_id: str) -> HttpResponse:
    return render(
        request,
        "ui/_narrator.html",
        {
            "narrator": {
                "id": model_id,
                "title": "Story 1.5B",
                "disclosure": "On this machine · nothing leaves",
                "active": False,
            }
        },
    )


def problem(request: HttpRequest) -> HttpResponse:
    return ui.problem(
        request,
        status=404,
        title="There is nothing here",
        sentence="The page does not exist, or it is not yours to open.",
        next_step="Go to your desk to see what is yours.",
    )


METER = {
    "used": 716,
    "context": 1200,
    "parts": [
        {"id": name, "title": title, "tokens": tokens, "share": tokens / 1200}
        for name, title, tokens in (
            ("instructions", "Instructions", 60),
            ("scenario", "Scenario", 90),
            ("cast", "Cast", 140),
            ("lore", "Lore", 86),
            ("examples", "Example dialogue", 0),
            ("turns", "Turns", 340),
            ("free", "Free, and kept for the reply", 484),
        )
    ],
}


def play_context(turns: list[TurnView]) -> dict[str, Any]:
    marked = [replace(turn, is_last=turn is stage.turns[-1]) for turn in turns]
    return {
        "story": {"id": STORY, "title": "The Lamplighter of Vell", "persona": "Nora"},
        "turns": marked,
        "segment": uuid.UUID(int=11),
        "has_earlier": bool(turns) and turns[0].position > 0,
        "first_position": turns[0].position if turns else 0,
        "last_position": turns[-1].position if turns else 0,
        "running": stage.running,
        "cast": [
            {"name": "Oswin Tarn", "role": "Lamplighter, forty years.", "face": "Oswin Tarn, lamplighter"},
            {"name": "Pim", "role": "The ferrier’s boy.", "face": "Pim the ferrier"},
        ],
        "disclosure": "Narrated by AI · SmolLM2 on this machine · nothing leaves",
        "leaves": False,
        "route_note": "This is a tiny demo model: quick, and soon lost.",
        "draft": {"mode": "do", "text": ""},
        "meter": METER,
        "lore": [{"name": "The ninth lamp", "key": "ninth"}, {"name": "The lampwrights’ oath", "key": ""}],
    }


def story(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    return render(request, "stories/play.html", play_context(stage.turns[-50:]))


def turns(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    if "after" in request.GET:
        context = play_context([turn for turn in stage.turns if turn.position > int(request.GET["after"])])
        return render(request, "stories/_turns.html", {**context, "has_earlier": False})
    before = [turn for turn in stage.turns if turn.position < int(request.GET["before"])]
    return render(request, "stories/_turns.html", play_context(before[-50:]))


def turn(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    return partial(request, find(turn_id))


def partial(request: HttpRequest, *found: TurnView) -> HttpResponse:
    return render(request, "stories/_turns.html", {**play_context(list(found)), "has_earlier": False})


def find(turn_id: uuid.UUID) -> TurnView:
    for known in stage.turns:
        if known.id == turn_id:
            return known
    raise Http404


def variants(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    old = find(turn_id)
    new = replace(
        old,
        id=uuid.uuid4(),
        text=request.POST["text"],
        edited=True,
        state="finished",
        problem="",
        variant_number=2,
        variant_count=2,
        variant_ids=(old.id, None),
    )
    stage.turns[stage.turns.index(old)] = new
    return partial(request, new)


def choice(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    old = find(turn_id)
    back = request.POST["variant"] == str(old.variant_ids[0])
    new = replace(
        old,
        id=uuid.UUID(request.POST["variant"]),
        text="The other version.",
        variant_number=1 if back else 2,
        variant_ids=(None, old.id) if back else (old.id, None),
    )
    stage.turns[stage.turns.index(old)] = new
    return partial(request, new)


trashed: list[TurnView] = []


def trash(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    gone = find(turn_id)
    trashed.append(gone)
    stage.turns.remove(gone)
    return HttpResponse(f'<article class="turn" id="t-{gone.id}" data-gone></article>')


def trash_undo(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    back = trashed.pop()
    stage.turns.insert(back.position, back)
    return partial(request, back)


def branches(request: HttpRequest, story_id: uuid.UUID, turn_id: uuid.UUID) -> HttpResponse:
    return HttpResponseRedirect(f"/stories/{story_id}/?branch=1")


def draft(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    gate, stage.draft_gate = stage.draft_gate, None
    if gate:
        gate.wait(10)  # this save is slow, those after it are not
    if stage.draft_refusals:
        status, sentence = stage.draft_refusals.pop(0)
        return JsonResponse({"say": sentence}, status=status)
    stage.drafts.append({"mode": request.POST["mode"], "text": request.POST["text"]})
    return HttpResponse(status=204)


def context(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    return render(
        request, "stories/context.html", {"meter": METER, "lore": [{"name": "Low water", "key": "drawn down"}]}
    )


@csrf_exempt
def take(request: HttpRequest, story_id: uuid.UUID, kind: str) -> HttpResponse | StreamingHttpResponse:
    body = json.loads(request.body)
    stage.takes.append({"kind": kind, **body})
    if stage.refusal:
        return JsonResponse({"say": stage.refusal[1]}, status=stage.refusal[0])
    own = None
    if kind == "turns":
        position = stage.turns[-1].position + 1
        own = TurnView(uuid.uuid4(), position, body["mode"], "Nora", body["text"])
        stage.turns.append(own)
    if body.get("act") in ("regenerate", "retry", "continue"):
        old = stage.turns.pop()
        reply = replace(
            old,
            id=uuid.uuid4(),
            text="",
            state="running",
            problem="",
            variant_number=2,
            variant_count=2,
            variant_ids=(old.id, None),
        )
    else:
        reply = TurnView(uuid.uuid4(), stage.turns[-1].position + 1, "reply", "", "", "running")
    stage.turns.append(reply)
    stage.stopped = False
    begun = {
        "turn": {"id": str(own.id), "position": own.position} if own else None,
        "reply": {"id": str(reply.id), "position": reply.position},
        "run": str(reply.id),
    }
    return stream(narrate(reply.id, begun, cut_after=stage.cut_after))


def resume(request: HttpRequest, run: uuid.UUID) -> HttpResponse | StreamingHttpResponse:
    if stage.cut_resumed:
        return stream(iter([b": nothing more\n\n"]))
    if stage.drops > 0:
        stage.drops -= 1
        return JsonResponse({"say": "Busy."}, status=503)
    return stream(narrate(run, None, after=int(request.GET.get("after") or 0)))


@csrf_exempt
def stop(request: HttpRequest, run: uuid.UUID) -> HttpResponse:
    stage.stopped = True
    return HttpResponse(status=204)


def stream(body: Iterator[bytes]) -> StreamingHttpResponse:
    return StreamingHttpResponse(body, content_type="text/event-stream")


def frame(event: str, data: dict[str, Any], number: int | None = None) -> bytes:
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def narrate(
    run: uuid.UUID, begun: dict[str, Any] | None, *, after: int = 0, cut_after: int | None = None
) -> Iterator[bytes]:
    if begun:
        yield frame("begun", begun)
        yield frame("progress", {"say": "Waking the narrator…", "share": 0.4})
        time.sleep(stage.pace * 4)
    shown = after
    state = stage.ending
    while shown < len(stage.words):
        if stage.stopped:
            state = "stopped"
            break
        piece = stage.words[shown : shown + 12]
        shown += len(piece)
        yield frame("delta", {"text": piece}, shown)
        time.sleep(stage.pace)
        if cut_after is not None and shown >= cut_after:
            return
    text = stage.words[:shown]
    said = "The narrator's server closed the line. The words so far are kept." if state == "failed" else None
    for index, known in enumerate(stage.turns):
        if known.id == run:
            stage.turns[index] = replace(known, text=text, state=state, problem=said or "")
    yield frame("done", {"state": state, "say": said, "retry": state == "failed", "retry_after": None})


def branch_list(request: HttpRequest, story_id: uuid.UUID) -> HttpResponse:
    ways = [
        {
            "id": uuid.UUID(int=11),
            "here": True,
            "words": "The glass is cold. It should not be.",
            "left_at": None,
            "last_position": 32,
        },
        {
            "id": uuid.UUID(int=12),
            "here": False,
            "words": "You hand the pole back and ask about Edda instead.",
            "left_at": 14,
            "last_position": 19,
        },
    ]
    return render(request, "stories/branches.html", {**play_context(stage.turns), "branches": ways})


def nothing(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponseRedirect(f"/stories/{STORY}/")


KEYS = (
    "handle",
    "passphrase_removal",
    "recovery",
    "passkeys",
    "totp",
    "totp_removal",
    "recovery_codes",
    "email",
    "email_removal",
    "email_recovery",
    "your_data",
)
"""The pages of keys and ways back in: linked to, not shown here."""

in_story = "stories/<uuid:story_id>/"
in_turn = in_story + "turns/<uuid:turn_id>/"
urlpatterns = [
    path("", include("mindstage.ui.urls")),
    path("", home, name="home"),
    path("theme/", ui.theme, name="theme"),
    path("account/new/", account_new, name="account_new"),
    path("session/new/", session_new, name="session_new"),
    path("session/end/", nothing, name="session_end"),
    path("account/", account, name="account"),
    *(path(f"nothing/{name}/", nothing, name=name) for name in KEYS),
    path("scenarios/<slug:slug>/", scenario, name="scenario"),
    path(
        "characters/new/",
        lambda request: render(request, "library/character_new.html", {"problem": None}),
        name="character_new",
    ),
    path("characters/", characters, name="characters"),
    path("characters/<uuid:character_id>/", character, name="character"),
    path("characters/<uuid:character_id>/portrait/", nothing, name="portrait"),
    path("characters/<uuid:ident>/edit/", nothing, name="character_edit"),
    path("stories/", nothing, name="stories"),
    path("models/", models, name="models"),
    path("models/<str:model_id>/installation/", installation, name="installation"),
    path("problem/", problem),
    path(in_story, story, name="story"),
    path(in_story + "turns/", turns, name="turns"),
    path(in_story + "branches/", branch_list, name="story_branches"),
    path(in_story + "branches/<uuid:segment_id>/", nothing, name="branch"),
    path(in_story + "draft/", draft, name="draft"),
    path(in_story + "context/", context, name="context"),
    path(in_turn, turn, name="turn"),
    path(in_turn + "variants/", variants, name="variants"),
    path(in_turn + "choice/", choice, name="choice"),
    path(in_turn + "trash/", trash, name="trash"),
    path(in_turn + "trash/undo/", trash_undo, name="trash_undo"),
    path(in_turn + "branches/", branches, name="branches"),
    path("your-data/", nothing, name="your_data"),
    path("trash/<uuid:item>/undo/", nothing, name="item_undo"),
    path("characters/<uuid:ident>/trash/", nothing, name="character_trash"),
    path(in_story + "trash/", nothing, name="story_trash"),
    path(in_story + "names/", nothing, name="story_names"),
    path("stream/stories/<uuid:story_id>/<str:kind>", take),
    path("stream/runs/<uuid:run>", resume),
    path("stream/runs/<uuid:run>/stop", stop),
]
