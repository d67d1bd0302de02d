"""The receipt of an erasure: for the claim code alone, genuine or refused, and gone in thirty days."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from mindstage.ledger.receipts import check_receipt
from mindstage.ledger.signed import NotGenuine
from mindstage.rights import receipts
from mindstage.rights.erasure import (
    request_erasure,
    run_due,
)
from mindstage.rights.receipts import NoReceipt, fetch_receipt, receipt_key
from mindstage.rights.requests import ErasureRequest
from mindstage.rights.versions import note_versions, version_in_force
from mindstage.vault.backup_keys import make_backup_key
from mindstage.vault.clocks import expire_backup_keys, slow_date, turn_night
from mindstage.vault.epoch_file import read_epoch_file
from mindstage.vault.files import write_durably
from mindstage.vault.models import BackupKey
from mindstage.vault.tags import ledger_tag
from publishing import Press
from rights.erasures import Life, make_life, pass_nights

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


@pytest.fixture
def ada(vault: None) -> Life:
    """She will go."""
    return make_life("ada")


def test_the_receipt_ends_after_thirty_days_and_its_hash_stays(ada: Life) -> None:
    """What stays is on the receipt with its end, and is gone then."""
    asked = request_erasure(ada.person.pk)
    pass_nights(8)
    run_due()
    content = fetch_receipt(asked.claim_code)
    ends = {kept["what"]: kept["ends_on"] for kept in json.loads(content)["kept"]}
    assert ends["this receipt, sealed under the claim code"] == (slow_date() + timedelta(days=30)).isoformat()
    pass_nights(29)
    assert fetch_receipt(asked.claim_code) == content
    pass_nights(1)
    with pytest.raises(NoReceipt):
        fetch_receipt(asked.claim_code)
    row = ErasureRequest.objects.get()
    assert len(row.receipt_hash) == 64
    assert (row.claim_hash, bytes(row.envelope_key), row.account) == (None, b"", None)


def test_every_field_of_it(ada: Life) -> None:
    """Days, version of the policy, each place, the keys, what stays with ground and end, backups, ledger: all of it."""
    first, _ = make_backup_key()
    asked = request_erasure(ada.person.pk)
    pass_nights(4)
    second, _ = make_backup_key()
    pass_nights(4)
    run_due()
    receipt = check_receipt(fetch_receipt(asked.claim_code), key=receipt_key())
    assert set(receipt) == FIELDS
    day = date.fromisoformat(receipt["completed_on"])
    assert date.fromisoformat(receipt["requested_on"]) + timedelta(days=8) == day == slow_date()
    assert receipt["policy_version"] == version_in_force().release.number
    assert {store["store"] for store in receipt["stores"]} >= PLACES
    assert all((store["found"] > 0, store["left"]) == (True, 0) for store in receipt["stores"])
    epoch = receipt["keys"]["epoch"]
    assert receipt["keys"] == {"destroyed": True, "epoch": epoch, "epoch_destroyed": True}
    assert min(read_epoch_file(settings.MINDSTAGE.keys_dir).slots) > epoch  # type: ignore[union-attr]
    assert {kept["what"].split(",")[0]: kept["ends_on"] for kept in receipt["kept"]} == {
        "this receipt": (day + timedelta(days=30)).isoformat(),
        "the hash of this receipt": "with the instance",
        "a keyed tag of the handle": (day + timedelta(days=29)).isoformat(),  # from the night in which it ended
        "a keyed tag in the ledger of erasures": "with the instance",
    }
    assert all(kept["ground"].startswith("so that") for kept in receipt["kept"])
    assert receipt["backups"] == [
        {"backup": str(first), "key_destroyed_on": (day + timedelta(days=22)).isoformat()},
        {"backup": str(second), "key_destroyed_on": (day + timedelta(days=26)).isoformat()},
    ]
    line = json.loads(receipt["ledger"]["line"])
    assert (line["kind"], line["tag"], receipt["ledger"]["entry"]) == ("person", ledger_tag(ada.person.pk), 1)


def test_the_keys_of_its_backups_end_on_the_days_that_it_names(ada: Life) -> None:
    """Each on its day and not before, by the clock that destroys them."""
    make_backup_key()
    asked = request_erasure(ada.person.pk)
    pass_nights(8)
    run_due()
    (named,) = json.loads(fetch_receipt(asked.claim_code))["backups"]
    last = date.fromisoformat(named["key_destroyed_on"])
    pass_nights((last - slow_date()).days - 1)
    assert expire_backup_keys() == 0
    pass_nights(1)
    assert slow_date() == last
    assert expire_backup_keys() == 1
    assert not BackupKey.objects.using("keystore").filter(pk=named["backup"]).exists()


def test_it_names_the_version_that_holds_and_not_one_that_is_announced(ada: Life, press: Press) -> None:
    note_versions()
    press.change("entry", "story", retention_active="until the cows come home")
    assert press.publish() == 2
    note_versions()
    asked = request_erasure(ada.person.pk)
    pass_nights(8)
    run_due()
    assert json.loads(fetch_receipt(asked.claim_code))["policy_version"] == 1


FIELDS = {
    "format", "id", "instance", "requested_on", "completed_on", "policy_version", "stores", "keys", "verification",
    "kept", "backups", "went_out", "ledger", "commitment", "says",
}  # fmt: skip
PLACES = {"database:default accounts_user", "database:default stories", "database:keystore keys"}


def test_a_receipt_that_a_crash_left_half_said_is_the_one_that_counts(ada: Life) -> None:
    """Killed between the file and its row, and taken up days later: the kept hash is that of the receipt one has."""
    asked = request_erasure(ada.person.pk)
    pass_nights(7)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(receipts, "write_durably", write_and_die)
        with pytest.raises(KeyboardInterrupt):
            run_due()
    turn_night()
    turn_night()
    assert run_due() == 1
    content = fetch_receipt(asked.claim_code)
    assert ErasureRequest.objects.get().receipt_hash == hashlib.sha256(content).hexdigest()


def write_and_die(path: Path, content: bytes) -> None:
    write_durably(path, content)
    raise KeyboardInterrupt


def test_nobody_but_the_code_opens_a_receipt(ada: Life) -> None:
    """It lies sealed beside the ledger; instance keys, database and file together do not open it."""
    asked = request_erasure(ada.person.pk)
    pass_nights(8)
    run_due()
    (file,) = (settings.MINDSTAGE.ledger_dir / "receipts").iterdir()
    assert b"requested_on" not in file.read_bytes()
    other = "-".join(["00000"] * 5)
    with pytest.raises(NoReceipt):
        fetch_receipt(other)
    assert asked.claim_code.replace("-", "").lower() not in str(ErasureRequest.objects.values().get()).lower()
    spelled = asked.claim_code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert fetch_receipt(spelled) == fetch_receipt(asked.claim_code)


def test_a_changed_receipt_is_refused(ada: Life) -> None:
    """Truncated, changed, of another instance, or not a receipt at all: said in a sentence."""
    asked = request_erasure(ada.person.pk)
    pass_nights(8)
    run_due()
    whole, key = fetch_receipt(asked.claim_code), receipt_key()
    changed = json.loads(whole)
    changed["stores"] = []
    for content in (whole[:-20], json.dumps(changed).encode(), b"[]", b"{}", b"", b"\xff", b"[" * 100_000):
        with pytest.raises(NotGenuine) as broken:
            check_receipt(content, key=key)
        assert str(broken.value).endswith(".")
    for other in ("A" * 43 + "=", "", "no key"):
        with pytest.raises(NotGenuine):
            check_receipt(whole, key=other)
    pretty = json.dumps(json.loads(whole), indent=2).encode()
    assert check_receipt(pretty, key=key)["format"] == "mindstage-receipt-1"
