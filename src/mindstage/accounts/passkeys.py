"""Passkeys (WebAuthn level 3), over fido2's server: make one, know somebody by one, name it, remove it.

A passkey belongs to the name under which the browser sees this instance. Challenges are kept by the caller, on a
doorstep, and used once. What an authenticator keeps for itself, often in its owner's cloud account, is the handle in
clear and the account's random id; the page says so.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from mindstage.accounts.models import Factor, User
from mindstage.accounts.notices import notify
from mindstage.accounts.refused import Refused
from mindstage.kit import clock
from mindstage.vault.purposes import Purpose

LONGEST_NAME = 60
UNNAMED = "Passkey"
LONGEST_WHOSE = 100
UNREAD = "What the browser sent could not be read. Nothing was changed; please try once more."
NOT_MADE = "The passkey was not made. Nothing was changed; please try once more."
LAST = "It stays: you have no passphrase, and no other passkey of yours works at this address. Add one of them first."

type Options = dict[str, Any]
type State = dict[str, Any]
type Answer = dict[str, Any]

USED = ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")
"""What is looked at of a device's response; all of it is base64."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the browser believes to be: `host` is what a passkey belongs to, `netloc` the host with its port."""

    host: str
    netloc: str

    def is_origin(self, origin: str) -> bool:
        """Whether a browser at `origin` was on this very site: TLS, or this machine's own loopback name."""
        parts = urlsplit(origin)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
        return safe and parts.netloc == self.netloc


@dataclass(frozen=True, slots=True)
class Passkey:
    """One line of the list."""

    id: uuid.UUID
    name: str
    host: str
    added_on: date


def find_site(netloc: str, *, secure: bool) -> Site | None:
    """The site of a request, or None where browsers offer no passkeys: an address of digits, or no TLS."""
    host = urlsplit(f"//{netloc}").hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Site(host, netloc) if host == "localhost" or (secure and "." in host) else None
    return None


def begin_passkey(*, account: uuid.UUID, handle: str, site: Site) -> tuple[Options, State]:
    """What the browser needs to make a passkey, and what the server must remember until it answers."""
    who = PublicKeyCredentialUserEntity(id=account.bytes, name=handle, display_name=handle)
    known = [credential for credential, _ in _credentials(_passkeys_of(account))]
    options, state = _server(site).register_begin(
        who,
        credentials=known,
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options), state


def read_answer(text: str) -> Answer:
    """What the browser says of a device, as JSON: the parts that are used, each of them text. Raises Refused.

    fido2 takes a number for a length and makes that many bytes, so no number comes as far as that.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or nested without end
        raise Refused("", UNREAD) from None
    match said:
        case {"id": str(ident), "rawId": str(raw), "type": str(kind), "response": dict(parts)}:
            used = {name: parts[name] for name in USED if parts.get(name) is not None}
            if all(isinstance(part, str) for part in used.values()):
                return {"id": ident, "rawId": raw, "type": kind, "response": used}
    raise Refused("", UNREAD)


def read_passkey(*, answer: Answer, state: State, site: Site, name: str) -> str:
    """What is to be kept of a new passkey, as JSON to be sealed. Raises Refused."""
    try:
        data = _server(site).register_complete(state, answer)
    except Exception:  # whatever a made-up answer can make a parser of binary data raise
        raise Refused("", NOT_MADE) from None
    if data.credential_data is None:
        raise Refused("", NOT_MADE)
    return json.dumps(
        {
            "name": _tidy(name),
            "host": site.host,
            "credential": base64.b64encode(bytes(data.credential_data)).decode(),
            "count": data.counter,
            "added": clock.today().isoformat(),
        }
    )


def add_passkey(*, account: User, content: str) -> None:
    """Keep what `read_passkey` made. Raises Refused when this account has that passkey already, KeyGone."""
    new = _credential(json.loads(content)).credential_id
    with transaction.atomic():
        User.objects.select_for_update().get(pk=account.pk)
        if new in (credential.credential_id for credential, _ in _credentials(_passkeys_of(account.pk))):
            raise Refused("", "This passkey is in your account already. Nothing was changed.")
        Factor(account=account, kind=Factor.Kind.PASSKEY).seal(sealed=content).save(force_insert=True)
        notify(account=account, text="A passkey was added.")


def begin_recognition(*, site: Site, account: uuid.UUID | None = None) -> tuple[Options, State]:
    """What the browser needs to show a passkey: any that it has for this site, or one of this account's."""
    known = [credential for credential, _ in _credentials(_passkeys_of(account))] if account else None
    options, state = _server(site).authenticate_begin(
        credentials=known, user_verification=UserVerificationRequirement.REQUIRED
    )
    return dict(options), state


def recognise(*, answer: Answer, state: State, site: Site, asked: uuid.UUID | None = None) -> User | None:
    """Whose passkey this is, or None. Its counter must have gone up, if it has one: a copy's would not have.

    `asked`: the account among whose passkeys the browser was told to choose. Only then may a device leave out whose
    it is (WebAuthn 7.2, step 6); what it does say must be true.
    """
    named = _named_in(answer["response"].get("userHandle"), otherwise=asked)
    account = User.objects.filter(pk=named).first() if named and asked in (None, named) else None
    if account and not account.may_sign_in:
        account = None
    with transaction.atomic():
        factors = list(_passkeys_of(account.pk).select_for_update()) if account else []
        kept = {credential.credential_id: (credential, factor) for credential, factor in _credentials(factors)}
        try:
            shown = _server(site).authenticate_complete(state, [one for one, _ in kept.values()], answer)
            count = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
        except Exception:  # as above: unknown, forged and unreadable are one answer
            return None
        return account if _has_counted(kept[shown.credential_id][1], count) else None


def list_passkeys(account: uuid.UUID) -> list[Passkey]:
    """The passkeys of an account, the oldest first."""
    found = []
    for factor in _passkeys_of(account):
        content = json.loads(factor.open("sealed", Purpose.SHOW))
        found.append(Passkey(factor.pk, content["name"], content["host"], date.fromisoformat(content["added"])))
    return sorted(found, key=lambda one: (one.added_on, one.name))


def find_passkey(account: uuid.UUID, ident: uuid.UUID) -> Factor | None:
    """One passkey of this account."""
    found: Factor | None = _passkeys_of(account).filter(pk=ident).first()
    return found


def rename_passkey(*, account: User, ident: uuid.UUID, name: str) -> None:
    """Give a passkey another name."""
    with transaction.atomic():
        for factor in _passkeys_of(account.pk).filter(pk=ident).select_for_update():
            content = json.loads(factor.open("sealed", Purpose.SHOW)) | {"name": _tidy(name)}
            factor.seal(sealed=json.dumps(content)).save(update_fields=["sealed"])
            notify(account=account, text="A passkey was given another name.")


def has_passkey_here(account: uuid.UUID, site: Site | None, *, beside: uuid.UUID | None = None) -> bool:
    """Whether a passkey of this account works at this site; `beside`: another one than that."""
    return site is not None and any(one.host == site.host and one.id != beside for one in list_passkeys(account))


def remove_passkey(*, account: User, ident: uuid.UUID, site: Site | None) -> None:
    """Remove a passkey. Raises Refused where none would be left for this site and there is no passphrase.

    One for another site is no way in here. Of two that are removed at once, one waits for the account's row.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=account.pk)
        if not locked.has_usable_password() and not has_passkey_here(locked.pk, site, beside=ident):
            raise Refused("", LAST)
        if _passkeys_of(account.pk).filter(pk=ident).delete()[0]:
            notify(account=account, text="A passkey was removed.")


def _server(site: Site) -> Fido2Server:
    ours = PublicKeyCredentialRpEntity(id=site.host, name="Mindstage")
    return Fido2Server(ours, attestation=AttestationConveyancePreference.NONE, verify_origin=site.is_origin)


def _passkeys_of(account: uuid.UUID) -> Any:
    return Factor.objects.filter(account=account, kind=Factor.Kind.PASSKEY)


def _credentials(factors: Iterable[Factor]) -> list[tuple[AttestedCredentialData, Factor]]:
    return [(_credential(json.loads(factor.open("sealed", Purpose.SIGN_IN))), factor) for factor in factors]


def _credential(content: dict[str, Any]) -> AttestedCredentialData:
    return AttestedCredentialData(base64.b64decode(content["credential"]))


def _named_in(whose: str | None, *, otherwise: uuid.UUID | None) -> uuid.UUID | None:
    """The account that the authenticator names: it was given the id when the passkey was made."""
    if whose is None:
        return otherwise
    try:
        return uuid.UUID(bytes=websafe_decode(whose)) if len(whose) <= LONGEST_WHOSE else None
    except ValueError:
        return None


def _has_counted(factor: Factor, count: int) -> bool:
    """WebAuthn 7.2, step 22: synced passkeys always say 0; any other must say more than the last time."""
    content = json.loads(factor.open("sealed", Purpose.SIGN_IN))
    if (count or content["count"]) and count <= content["count"]:
        return False
    if count != content["count"]:
        factor.seal(sealed=json.dumps(content | {"count": count})).save(update_fields=["sealed"])
    return True


def _tidy(name: str) -> str:
    words = " ".join(name[: 4 * LONGEST_NAME].split())
    return "".join(letter for letter in words if letter.isprintable())[:LONGEST_NAME].strip() or UNNAMED
