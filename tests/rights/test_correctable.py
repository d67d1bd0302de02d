"""Whatever a person typed or chose can be put right where it stands: each field of the map has a door, or a reason.

The fields are read out of the data map, so that a new one fails here until somebody has built its door, or has written
down why there is none. Each door is walked through: new words go in by a page, and they are what is held then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from accounts.test_passkeys import with_passkeys
from library import card_makers as make
from library.test_portrait_corrections import png
from mindstage.accounts.doorsteps import Step, make_doorstep
from mindstage.accounts.email import keep_address
from mindstage.accounts.models import AgeBand, EmailAddress, Factor, User
from mindstage.accounts.sessions import keep_proof
from mindstage.accounts.sign_in import sign_in
from mindstage.datamap.reading import data_map
from mindstage.library.characters import import_character
from mindstage.library.materials import make_material
from mindstage.library.models import Character, Material
from mindstage.rights.consents import may
from mindstage.stories.models import Draft, Story, Turn
from mindstage.vault.purposes import Purpose
from people import PASSPHRASE, make_person, signed_in_client
from stories.scenes import make_story

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]
MADE = "the program made it: an identifier, a date, a count, a state, or a keyed tag of something that has a door"
NEW = "some other words"

REASONS = {
    "accounts.User.handle_tag": MADE,
    "accounts.User.id": MADE,
    "accounts.User.joined_on": MADE,
    "accounts.User.log_outs": MADE,
    "accounts.User.passphrase_on": MADE,
    "accounts.User.state": "freezing, thawing and the end have buttons of their own",
    "accounts.User.owner": "whoever used the owner link; the next owner link makes another",
    "accounts.Factor.account": MADE,
    "accounts.Factor.id": MADE,
    "accounts.Factor.kind": MADE,
    "accounts.EmailAddress.account": MADE,
    "accounts.EmailAddress.address_tag": MADE,
    "library.Character.id": MADE,
    "library.Character.owner": MADE,
    "library.Character.imported_on": MADE,
    "library.Character.trashed_on": MADE,
    "library.Character.ending": MADE,
    "library.Character.report": "sentences of the program on how it read the card that came",
    "library.Material.id": MADE,
    "library.Material.owner": MADE,
    "library.Material.kind": "a persona is no lorebook: another is made",
    "library.Material.made_on": MADE,
    "library.Material.removals": MADE,
    "library.Material.trashed_on": MADE,
    "library.Material.ending": MADE,
    "stories.Story.id": MADE,
    "stories.Story.owner": MADE,
    "stories.Story.head": "the branch that is played; another is chosen on the page of branches",
    "stories.Story.route": "nothing writes it: every story has the instance's narrator",
    "stories.Story.played_at": MADE,
    "stories.Story.trashed_on": MADE,
    "stories.Story.ending": MADE,
    "stories.Segment.id": MADE,
    "stories.Segment.story": MADE,
    "stories.Segment.parent": MADE,
    "stories.Segment.fork": MADE,
    "stories.Turn.id": MADE,
    "stories.Turn.story": MADE,
    "stories.Turn.segment": MADE,
    "stories.Turn.position": MADE,
    "stories.Turn.variant": MADE,
    "stories.Turn.chosen": "which version is shown is chosen by the arrows beside a turn",
    "stories.Turn.kind": "doing, saying or telling: a turn is played anew, as nothing that was written is overwritten",
    "stories.Turn.state": MADE,
    "stories.Turn.problem": MADE,
    "stories.Turn.edited": MADE,
    "stories.Turn.client_id": MADE,
    "stories.Turn.trashed_at": MADE,
    "stories.Turn.ending": MADE,
    "stories.Draft.id": MADE,
    "stories.Draft.story": MADE,
    "stories.Draft.mode": "each way to play has a draft of its own",
    "stories.Draft.saved_on": MADE,
    "rights.ErasureRequest": MADE,
    "rights.Consent.id": MADE,
    "rights.Consent.account": MADE,
    "rights.Consent.purpose": MADE,
    "rights.Consent.switch": MADE,
    "rights.Consent.version": MADE,
    "rights.Consent.said_by": MADE,
    "rights.Consent.said_on": MADE,
    "rights.Consent.place": MADE,
    "rights.PolicyNotice": MADE,
    "rights.Export.recipient": "the key that one archive is made for: it is thrown away and another asked for",
    "rights.Export": MADE,
    "rights.KeptFile.path": "a file of an import as it came, which nothing here reads or shows",
    "rights.KeptFile.content": "as its path: it is put right where it was made, and comes in again",
    "rights.KeptFile": MADE,
}
"""Fields (or a model's others) of what comes from people themselves that no page corrects -> why."""


@dataclass(frozen=True)
class Held:
    """Ada, with one of everything, in a browser that has just proven who she is."""

    person: User
    client: Client
    story: Story
    character: Character
    passkey: Any

    def post(self, path: str, **form: str) -> None:
        answer = self.client.post(path, form)
        assert answer.status_code in (200, 204, 302), answer.content.decode()


@pytest.fixture
def ada() -> Iterator[Held]:
    person = make_person("ada")
    client = signed_in_client(person)
    keep_proof(client.cookies["session"].value)
    character = import_character(owner=person.pk, data=make.to_json(make.v2()))
    passkey = with_passkeys(person, 1)[0]
    with override_settings(MAILERS={"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}):
        keep_address(account=person, address="ada@letters.example")
        yield Held(person, client, make_story(person, turns=3), character, passkey)


def handle(ada: Held) -> str:
    ada.post("/account/handle/", handle="someotherwords")
    return User.objects.get(pk=ada.person.pk).open("handle", Purpose.SHOW).replace("someotherwords", NEW)


def passphrase(ada: Held) -> str:
    ada.post("/account/passphrase/", old=PASSPHRASE, new=f"{NEW} of velvet")
    return NEW if sign_in(handle="ada", passphrase=f"{NEW} of velvet") else ""


def age_band(ada: Held) -> str:
    ada.post("/your-data/age/", age_band=AgeBand.TEEN.value)
    return NEW if User.objects.get(pk=ada.person.pk).age_band == AgeBand.TEEN else ""


def name_of_a_passkey(ada: Held) -> str:
    ada.post(f"/account/passkeys/{ada.passkey}/", name=NEW)
    found: dict[str, str] = json.loads(Factor.objects.get(pk=ada.passkey).open("sealed", Purpose.SHOW))
    return found["name"]


def address(ada: Held) -> str:
    ada.client.cookies["door"] = make_doorstep(
        Step.EMAIL, account=ada.person.pk.hex, address="other@letters.example", code="abcd-efgh"
    )
    ada.post("/account/email/code/", code="abcd-efgh")
    found = EmailAddress.objects.get(account=ada.person).open("address", Purpose.SHOW)
    return found.replace("other@letters.example", NEW)


def character(name: str, column: str) -> Callable[[Held], str]:
    def correct(ada: Held) -> str:
        ada.post(f"/characters/{ada.character.pk}/edit/", **{f"card.{name}": NEW})
        return Character.objects.get(pk=ada.character.pk).open(column, Purpose.SHOW)

    return correct


def material(kind: str, path: str, column: str) -> Callable[[Held], str]:
    """Each text of each kind is walked in library/test_materials.py."""
    begun: dict[str, Any] = {"persona": {"about": "x"}, "lorebook": {"entries": [{"keys": ["a"], "content": "b"}]}}

    def correct(ada: Held) -> str:
        row = make_material(owner=ada.person.pk, kind=kind, name="Mara", content=begun[kind])
        ada.post(f"/{kind}s/{row.pk}/edit/", **{f"text.{path}": NEW})
        return Material.objects.get(pk=row.pk).open(column, Purpose.SHOW)

    return correct


def portrait(ada: Held) -> str:
    there = f"/characters/{ada.character.pk}/"
    file = SimpleUploadedFile("picture.png", png("teal"), "image/png")
    assert ada.client.post(f"{there}picture/", {"picture": file}).status_code == 302
    return NEW if ada.client.get(f"{there}portrait/").status_code == 200 else ""


def title(ada: Held) -> str:
    ada.post(f"/stories/{ada.story.pk}/names/", title=NEW, persona="")
    return Story.objects.get(pk=ada.story.pk).open("title", Purpose.SHOW)


def stage(name: str, path: str) -> Callable[[Held], str]:
    """`persona` has its door beside the title; every other text of a stage is walked in test_stage_corrections.py."""

    def correct(ada: Held) -> str:
        form = {"persona": NEW, "title": ""} if path == "persona" else {f"stage.{path}": NEW}
        ada.post(f"/stories/{ada.story.pk}/{name}/", **form)
        return Story.objects.get(pk=ada.story.pk).open("stage", Purpose.SHOW)

    return correct


def turn(ada: Held) -> str:
    """A new version, beside the one that was written."""
    first = Turn.objects.get(story=ada.story, position=1)
    ada.post(f"/stories/{ada.story.pk}/turns/{first.pk}/variants/", text=NEW)
    assert Turn.objects.filter(story=ada.story, position=1).count() == 2
    return Turn.objects.get(story=ada.story, position=1, chosen=True).open("text", Purpose.SHOW)


def draft(ada: Held) -> str:
    for text in ("some words", NEW):
        ada.post(f"/stories/{ada.story.pk}/draft/", mode="say", text=text)
    return Draft.objects.get(story=ada.story).open("text", Purpose.SHOW)


def choice(ada: Held) -> str:
    ada.post("/your-data/consents/training/", given="yes")
    assert may(ada.person.pk, "training")
    ada.post("/your-data/consents/training/", given="no")
    return "" if may(ada.person.pk, "training") else NEW


DOORS: dict[str, tuple[Callable[[Held], str], ...]] = {
    "accounts.User.handle": (handle,),
    "accounts.User.password": (passphrase,),
    "accounts.User.age_band": (age_band,),
    "accounts.Factor.sealed": (name_of_a_passkey,),
    "accounts.EmailAddress.address": (address,),
    "library.Character.name": (character("name", "name"),),
    "library.Character.line": (character("creator_notes", "line"),),
    "library.Character.card": (character("description", "card"), character("character_book.entries.0.content", "card")),
    "library.Character.portrait": (portrait,),
    "library.Material.name": (material("persona", "name", "name"), material("lorebook", "name", "name")),
    "library.Material.content": (
        material("persona", "about", "content"),
        material("lorebook", "entries.0.content", "content"),
        material("lorebook", "entries.0.keys", "content"),
    ),
    "stories.Story.title": (title,),
    "stories.Story.stage": (
        stage("names", "persona"),
        stage("stage", "premise"),
        stage("stage", "cast.0.description"),
        stage("stage", "roles.0.line"),
    ),
    "stories.Turn.text": (turn,),
    "stories.Draft.text": (draft,),
    "rights.Consent.given": (choice,),
}
"""Fields that pages correct -> each kind of correction: it gives back what is held then."""


def own_fields() -> set[str]:
    """Everything sealed or clear that the map says came from people themselves."""
    entries = data_map().entries.values()
    return {path for entry in entries if entry.source == "direct" for path in (*entry.fields, *entry.metadata)}


def test_each_field_has_a_door_or_a_reason() -> None:
    """What the program notes by itself (`automatic`) is not people’s to correct; of the rest nothing is left out."""
    fields, known = own_fields(), DOORS.keys() | REASONS.keys()
    left = {path for path in fields if path not in known and path.rpartition(".")[0] not in REASONS}
    assert not left, f"{sorted(left)}: build a page that corrects it, or write in REASONS why there is none"
    assert not DOORS.keys() & REASONS.keys()
    models = {f"{model._meta.label}" for model in apps.get_models()}
    assert {path for path in known if path not in models} <= fields


def test_what_is_sealed_of_people_is_made_by_no_program() -> None:
    """A sealed field may not hide among dates and identifiers: its reason is one of its own."""
    sealed = {path for entry in data_map().entries.values() if entry.source == "direct" for path in entry.fields}
    assert sealed <= DOORS.keys() | {path for path, why in REASONS.items() if why != MADE}


@pytest.mark.parametrize(("path", "number"), [(path, at) for path, doors in DOORS.items() for at in range(len(doors))])
def test_each_door_opens(path: str, number: int, ada: Held) -> None:
    """New words go in by its page, and stand there then."""
    assert NEW in DOORS[path][number](ada)
