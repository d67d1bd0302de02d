"""The receipt of an erasure: for the claim code alone, genuine or refused, and gone in thirty days."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
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
from mindstage.vault.clocks import slow_date, turn_night
from mindstage.vault.files import write_durably
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
