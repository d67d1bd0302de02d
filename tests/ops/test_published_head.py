"""The head of the ledger is public and signed, so that somebody else can tell if machine and escrow were set back."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from mindstage.__main__ import main
from mindstage.accounts.endings import end_item
from mindstage.accounts.handles import tag_of_account
from mindstage.ledger import book
from mindstage.ledger.models import DatabaseMark
from mindstage.ledger.receipts import check_receipt
from mindstage.ledger.signed import check_json
from mindstage.rights.erasure import request_erasure, run_due
from mindstage.rights.receipts import fetch_receipt, receipt_key
from mindstage.vault.keys import item_key
from mindstage.vault.models import ItemKey, Keystore
from mindstage.vault.start_check import Mode, check_start
from rights.erasures import make_life, pass_nights

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]
HERE = "/.well-known/log/checkpoint"


def published() -> tuple[int, str]:
    said = check_json(Client().get(HERE).content, key=receipt_key())
    return said["length"], said["head"]


def test_it_grows_with_what_ends_and_goes_on_from_what_was_published() -> None:
    """From nothing on; each is a head of the chain that lies there; a receipt's place is not beyond it."""
    life, ben = make_life("ada"), make_life("ben")
    heads = [published()]
    end_item(ben.story.pk)
    heads.append(published())
    asked = request_erasure(life.person.pk)
    pass_nights(8)
    run_due()
    heads.append(published())
    assert [length for length, _ in heads] == [0, 1, 2]
    chain = book.read_book(settings.MINDSTAGE.ledger_dir)
    assert chain
    assert all(chain.extends(book.Head(*head)) for head in heads)
    receipt = check_receipt(fetch_receipt(asked.claim_code), key=receipt_key())
    assert (receipt["ledger"]["length"], receipt["ledger"]["head"]) == heads[-1]


def test_a_machine_set_back_whole_shows_it_to_whoever_watched() -> None:
    """Ledger, epoch file, escrow, keystore and database of before: the start finds nothing wrong, the length fell."""
    life = make_life("ada")
    folders = [getattr(settings.MINDSTAGE, name) for name in ("ledger_dir", "keys_dir", "escrow_dir")]
    files = {file: file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()}
    rows = [Keystore.objects.using("keystore").get(), DatabaseMark.objects.get()]
    keys = list(ItemKey.objects.using("keystore").all())
    end_item(life.story.pk)
    watched = published()
    for file, content in files.items():
        file.write_bytes(content)
    for row in [*rows, *keys]:
        row.save()
    assert check_start(handle_of=tag_of_account).mode is Mode.OPEN
    assert item_key(life.story.pk)  # it is back, and nothing here knows that it should not be
    assert published()[0] < watched[0]


def test_it_names_nobody_and_can_be_checked_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Six words in it and no identifier; a changed one is refused."""
    life = make_life("ada")
    end_item(life.story.pk)
    content = Client().get(HERE).content
    said = json.loads(content)
    assert set(said) == {"format", "instance", "day", "length", "head", "signature"}
    assert not [ident for ident in (life.person.pk, life.story.pk, uuid.UUID(int=0)) if ident.hex.encode() in content]
    file, key = tmp_path / "head.json", tmp_path / "key.json"
    key.write_bytes(Client().get("/.well-known/mindstage-signing-key").content)
    codes = []
    for one in (said, said | {"length": 0}):
        file.write_text(json.dumps(one))
        with pytest.raises(SystemExit) as left:
            main(["receipt", "verify", str(file), "--key", str(key)])
        codes.append(left.value.code)
    assert codes == [0, 1]
    assert "held 1 entries" in capsys.readouterr().out
