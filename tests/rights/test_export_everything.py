"""What the map says is exported is in the archive, to the last sealed text: read from tables, looked for in files."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from accounts.test_passkeys import with_passkeys
from accounts.test_second_factor import with_totp
from library import card_makers as make
from mindstage.accounts.access_counts import list_openings, store_counts
from mindstage.accounts.email import keep_address, show_address
from mindstage.accounts.models import Notice, Session, User
from mindstage.accounts.notices import notify, see_notices
from mindstage.accounts.recovery_codes import make_recovery_codes
from mindstage.accounts.sealed_notices import open_notice
from mindstage.accounts.sessions import begin_session
from mindstage.datamap.reading import data_map
from mindstage.library.characters import import_character
from mindstage.library.materials import make_material
from mindstage.rights.inventory import owned
from mindstage.stories.drafts import save_draft
from mindstage.vault.purposes import Purpose
from people import make_person
from rights.lives import write_card
from rights.takeouts import bring, empty_exports, one, play, rezip, take_out, unzip

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])
ADDRESS = "ada@letters.example"
SAID_OTHERWISE: Final = {
    "accounts.Session.payload": "a check of a secret, under the cookie's key",
    "accounts.Session.proof": "a moment of ten minutes, under the cookie's key",
    "accounts.Session.device": "looked at by itself, below",
    "library.Character.line": "a few words of the card, which is there whole",
}


@pytest.fixture
def ada(vault: None) -> Iterator[User]:
    """Somebody with a row in every store of what is exported."""
    person, _ = with_totp()
    keep_address(account=person, address=ADDRESS)
    with_passkeys(person, 1)
    make_recovery_codes(account=person)
    save_draft(story=play(person), mode="do", text="And then I wait.")
    import_character(owner=person.pk, data=write_card(make.v3(), pictured=True))
    make_material(owner=person.pk, kind="persona", name="Mara", content={"about": "A lamplighter."})
    notify(account=person, text="The last thing of all.")
    for device in ("phone", "computer"):
        begin_session(person, device)
    bring(person, rezip(unzip(take_out(make_person("ben"))) | {"notes/plot.txt": b"She was the lamp all along."}))
    yield person
    empty_exports()


def sealed_texts(person: User) -> Iterator[tuple[str, bytes]]:
    """Every sealed value of hers that the map does not keep out of exports, with its place."""
    for entry in data_map().entries.values():
        for path in () if entry.export.startswith("not exported") else entry.fields:
            label, _, name = path.rpartition(".")
            rows = owned(label, person.pk)
            for row in rows if rows is not None and path not in SAID_OTHERWISE else ():
                if getattr(row, name) is not None:
                    yield path, opened(row, name)


def opened(row: Any, name: str) -> bytes:
    if isinstance(row, Notice):
        return open_notice(row, Purpose.EXPORT)[1].encode()
    return bytes(row.open_bytes(name, Purpose.EXPORT))


def leaves(value: Any) -> Iterator[Any]:
    """What stands in JSON, without the names of its parts."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


def said_in(text: bytes) -> set[Any]:
    """What a sealed value says: of JSON each of its leaves, else the whole."""
    try:
        value = json.loads(text)
    except ValueError:
        return {text}
    return set(leaves(value)) if isinstance(value, dict | list) else {text}


def test_every_sealed_text_is_in_the_archive(ada: User) -> None:
    """In its data files, whatever their form; and she has something in each place, so that none is passed over."""
    files = unzip(take_out(ada))
    editions = {line["path"] for line in json.loads(files["manifest.json"])["files"] if line["edition"]}
    data = {name: content for name, content in files.items() if name not in editions}
    values = {leaf for name, content in data.items() if name.endswith(".json") for leaf in leaves(json.loads(content))}
    there = values | {leaf.encode() for leaf in values if isinstance(leaf, str)} | set(data.values())
    there |= {base64.b64decode(json.loads(one(files, "kept/0001.json"))["content"])}
    looked_for = list(sealed_texts(ada))
    assert [path for path, text in looked_for if said_in(text) - there] == []
    exported = {
        path
        for entry in data_map().entries.values()
        if not entry.export.startswith("not exported")
        for path in entry.fields
    }
    assert {path for path, _ in looked_for} == exported - SAID_OTHERWISE.keys()
    assert SAID_OTHERWISE.keys() <= exported


def test_the_account_itself_is_in_it(ada: User) -> None:
    """Handle, address, ways to sign in, browsers, what was told, who opened what; and no secret."""
    see_notices(ada.pk)
    notify(account=ada, text="And one that was not seen.")
    assert show_address(ada.pk) == ADDRESS
    store_counts()
    before = {(line.purpose, line.actor): line.count for line in list_openings(ada.pk)}
    files = unzip(take_out(ada))
    account, sessions, notices, openings = (
        json.loads(files[f"{name}.json"]) for name in ("account", "sessions", "notices", "openings")
    )
    row = User.objects.get(pk=ada.pk)
    assert (account["handle"], account["email"], account["age_band"]) == ("ada", ADDRESS, row.age_band)
    assert (account["id"], account["joined_on"]) == (str(row.pk), row.joined_on.isoformat())
    assert account["ways_to_sign_in"] == ["codes", "passkey", "totp"]
    assert sorted(one["device"] for one in sessions["sessions"]) == ["computer", "phone"]
    seen = [notice["seen"] for notice in notices["notices"]]
    assert seen == [True] * (len(seen) - 2) + [False] * 2, "the export itself was told of as well"
    assert len(seen) == Notice.objects.filter(account=ada).count() > 2
    told = {(line["purpose"], line["actor"]): line["count"] for line in openings["openings"]}
    assert ("show", "you") in before
    assert before.items() <= told.items()
    for secret in (row.password, *(bytes(key).hex() for key in Session.objects.values_list("key_hash", flat=True))):
        assert not [name for name, content in files.items() if secret.encode() in content]
