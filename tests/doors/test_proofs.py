"""What asks for a fresh proof of who asks, and what does not: every address that takes a form is told apart.

The addresses are read out of the program, so that a new one fails here until it is on one of the two lists.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from accounts.test_passkeys import with_passkeys, without_passphrase
from accounts.test_second_factor import with_totp
from doors.addresses import patterns
from doors.house import everything
from mindstage.accounts.doorsteps import Step, make_doorstep
from mindstage.accounts.email import keep_address
from mindstage.accounts.models import User
from mindstage.accounts.recovery_codes import make_recovery_codes
from mindstage.accounts.sessions import keep_proof
from people import make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]

NEEDS_PROOF = {
    "handle": {"handle": "cleo"},
    "age_band": {"age_band": "13_17"},
    "passphrase": {"old": "", "new": "other words of velvet"},
    "passphrase_removal": {},
    "passkey_name": {"name": "Somebody else's"},
    "passkey_removal": {},
    "email": {"address": "cleo@example.org"},
    "email_code": {"code": "abcd-efgh"},
    "email_removal": {},
    "totp": {"code": "123456"},
    "totp_removal": {},
    "recovery_codes_new": {},
    "exports": {"recipient": ""},
    "erasures": {"handle": "ada"},
    "freeze": {},
}
"""Addresses that change a way to log in, take everything out, freeze or end the account -> a form that would do it."""

NO_PROOF = {
    "account_new": "makes an account",
    "session_new": "takes the passphrase itself",
    "second_factor": "takes a code itself",
    "proof": "takes the proof",
    "recovery": "takes a code itself",
    "email_recovery": "sends a letter to an address that is known",
    "email_recovery_code": "takes a code itself",
    "passkey_options": "a challenge; the one for another passkey needs a proof of its own (test_passkeys.py)",
    "passkey_answer": "takes the passkey itself, or as above",
    "session_end": "logs out",
    "session_one_end": "logs out",
    "sessions_end": "logs out",
    "theme": "a cookie of the browser's own",
    "installation": "what the owner lets this machine do",
    "policy_notice": "a line that was read",
    "consent": "as easy to take back as to give",
    "freeze_end": "calls it off",
    "erasure_end": "keeps the account",
    "export_end": "throws a copy away",
    "imports": "adds",
    "receipt": "takes a claim code itself",
    "receipt_check": "reads a file",
    "scenario": "writing",
    "characters": "writing",
    "character": "writing",
    "character_new": "writing",
    "character_edit": "writing",
    "portrait": "writing",
    "picture": "writing",
    "stories": "writing",
    "story": "writing",
    "story_names": "writing",
    "story_stage": "writing",
    "own_personas": "writing",
    "own_persona_new": "writing",
    "own_lorebooks": "writing",
    "own_lorebook_new": "writing",
    "own_scenarios": "writing",
    "own_scenario_new": "writing",
    "own_persona_edit": "writing",
    "own_persona_trash": "lies in the trash for a month",
    "own_lorebook_edit": "writing",
    "own_lorebook_trash": "lies in the trash for a month",
    "own_scenario_edit": "writing",
    "own_scenario_trash": "lies in the trash for a month",
    "story_keep": "writing",
    "story_keep_lore": "writing",
    "story_branches": "writing",
    "branches": "writing",
    "branch": "writing",
    "turns": "writing",
    "turn": "writing",
    "turn_end": "one's own words are ended one thing at a time, without a passphrase for each",
    "variants": "writing",
    "choice": "writing",
    "draft": "writing",
    "context": "writing",
    "story_trash": "lies in the trash for a month",
    "character_trash": "lies in the trash for a month",
    "trash": "lies in the trash for a month",
    "trash_undo": "takes back",
    "item_undo": "takes back",
    "trash_end": "as item_end, for each thing that its page has shown",
    "item_end": "as turn_end; it must lie in the trash first",
}
"""Addresses that take a form without one -> why."""


@pytest.fixture
def ada() -> Iterator[tuple[User, dict[str, uuid.UUID]]]:
    """Somebody with everything that can be changed: codes of both kinds, an address, two passkeys, no passphrase."""
    account, _ = with_totp()
    make_recovery_codes(account=account)
    with override_settings(MAILERS={"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}):
        keep_address(account=account, address="ada@example.org")
        yield without_passphrase(account), {"<uuid:passkey>": with_passkeys(account, 2)[0]}


def signed_in(account: User) -> Client:
    """A browser in the middle of giving an address, so that nothing but the proof is missing."""
    client = signed_in_client(account)
    client.cookies["door"] = make_doorstep(
        Step.EMAIL, account=account.pk.hex, address="cleo@example.org", code="abcd-efgh"
    )
    return client


def path_of(name: str, things: dict[str, uuid.UUID]) -> str:
    route = dict(patterns())[name]
    for placeholder, ident in things.items():
        route = route.replace(placeholder, str(ident))
    return route


def test_every_form_is_told_apart() -> None:
    """A new address that takes a form fails here until it is on one list; all others take none.

    Whatever stands on the second is taken without a proof from somebody who is signed in, or refused for other reasons.
    """
    ada = make_person("ada")
    filled = {"<str:token>": "x", "<str:name>": "mindstage.css", "<str:model_id>": "x", "<int:number>": "1"}
    filled |= {"<str:purpose>": "training", "<slug:slug>": "x"}
    names = [name for name, _ in patterns()]
    assert not NEEDS_PROOF.keys() & NO_PROOF.keys()
    assert NEEDS_PROOF.keys() | NO_PROOF.keys() <= set(names)
    for name, route in patterns():
        for placeholder, value in filled.items():
            route = route.replace(placeholder, value)
        path = re.sub("<uuid:[a-z]+>", str(uuid.uuid4()), route)
        client = signed_in_client(ada)
        if name in NO_PROOF:
            answer = client.post(path)
            assert not answer.headers.get("Location", "").startswith("/session/proof/"), name
        elif name not in NEEDS_PROOF:
            keep_proof(client.cookies["session"].value)
            assert client.post(path).status_code in (404, 405), name


@pytest.mark.parametrize("name", NEEDS_PROOF)
def test_nothing_is_changed_without_a_proof(name: str, ada: tuple[User, dict[str, uuid.UUID]]) -> None:
    """A session alone, however new, is led to the proof; the control: with a proof the same form is looked at."""
    account, things = ada
    client = signed_in(account)
    before = everything()
    response = client.post(path_of(name, things), NEEDS_PROOF[name])
    assert response.headers.get("Location", "").startswith("/session/proof/")
    assert everything() == before
    keep_proof(client.cookies["session"].value)
    response = client.post(path_of(name, things), NEEDS_PROOF[name])
    assert response.status_code < 500
    assert not response.headers.get("Location", "").startswith("/session/proof/")


def test_a_passphrase_is_a_proof_of_its_own() -> None:
    """Where there is one, its change takes the present one instead; without it nothing is changed."""
    client = signed_in(make_person("ada"))
    before = everything()
    assert client.post("/account/passphrase/", {"old": "", "new": "other words of velvet"}).status_code == 422
    assert everything() == before
