"""Whether a receipt is genuine: by the form, and by a page that is one file and needs nobody."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, Route

from browser import browsers, chromium, open_page  # noqa: F401 - fixtures
from mindstage.ledger import signing
from mindstage.ledger.receipts import FORMAT, check_receipt
from mindstage.ledger.signed import NotGenuine, sign_json
from mindstage.ops.commands import receipt as receipt_command
from mindstage.rights.offline import policy
from mindstage.rights.receipts import receipt_key, receipt_seed

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"]), pytest.mark.usefixtures("vault")]
FOREIGN = bytes(range(32))
KEY = signing.to_text(signing.public_key(FOREIGN))
LINE = '{"kind":"person"}'
ODD = 'Harbour "Reading" Room \\ \u00e9\u2028\x7f\x01\n\U0001f600 </script>'


def receipt(**changes: Any) -> dict[str, Any]:
    """What stands on a receipt, with letters that are spelled differently by careless programs."""
    return {
        "format": FORMAT,
        "id": "x",
        "instance": ODD,
        "requested_on": "2026-11-01",
        "completed_on": "2026-11-08",
        "policy_version": None,
        "stores": [{"store": "Stories", "found": 3, "left": 0}],
        "keys": {"destroyed": True, "epoch": 4, "\U0001f600": 1, "\uffff": 2, "a": 3, "ab": 4},
        "kept": [
            {"what": "a tag", "ground": "so that nobody poses as you", "ends_on": "2026-12-08"},
            {"what": "a hash", "ground": "so that it can be known", "ends_on": "with the instance"},
        ],
        "backups": [{"backup": "b", "key_destroyed_on": "2026-12-08"}],
        "went_out": [
            {"who": "faraway", "where": "Iceland", "last_on": "2026-11-01", "keeps": "9 days", "ends_on": "-"}
        ],
        "ledger": {"line": LINE, "head": hashlib.sha256(LINE.encode()).hexdigest()},
        "says": "Gone.",
    } | changes


def written(content: dict[str, Any], *, seed: bytes = FOREIGN) -> bytes:
    return json.dumps(sign_json(content, seed=seed)).encode()


FALSE = {
    "changed": written(receipt()).replace(b'"found": 3', b'"found": 2'),
    "no signature": json.dumps(receipt()).encode(),
    "no JSON": b"Gone.",
    "another kind": written(receipt(format="mindstage-restore-1")),
    "another's line": written(receipt(ledger={"line": LINE, "head": "0" * 64})),
    "no ledger": written(receipt(ledger=None)),
    "a short signature": json.dumps(receipt() | {"signature": {"value": "AAAA"}}).encode(),
}
KEYS = {"nonsense": "nonsense", "short": "AAAA", "of nobody": signing.to_text(b"\xff" * 32), "own": ""}


def ask(content: bytes, key: str) -> tuple[int, str]:
    file = io.BytesIO(content)
    file.name = "receipt.json"
    answer = Client().post("/your-data/receipt/check/", {"receipt": file, "key": key})
    return answer.status_code, answer.content.decode()


def test_the_form_takes_the_key_of_another_instance() -> None:
    """As base64 or as its well-known address gave it; with our own key, or with none, it is not genuine."""
    content = written(receipt())
    for key in (KEY, f" {KEY}\n", json.dumps({"algorithm": "Ed25519", "key": KEY})):
        status, page = ask(content, key)
        assert (status, "is whole" in page, "2026-11-08" in page) == (200, True, True)
    for key in (receipt_key(), ""):
        status, page = ask(content, key)
        assert (status, "another instance signed it" in page, "is whole" in page) == (422, True, False)
    status, page = ask(content, "nonsense")
    assert (status, "The key is not one" in page) == (422, True)
    assert ask(written(receipt(), seed=receipt_seed()), "")[0] == 200


def test_a_receipt_tells_how_many_texts_were_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the form and by the command. One of before that was noted is as genuine, and says nothing of it."""
    file, key = tmp_path / "receipt.json", tmp_path / "key"
    key.write_text(KEY)
    tried = {"texts_tried": 41, "texts_opened": 0, "things_left": 0}
    for content, told in ((receipt(verification=tried), True), (receipt(), False)):
        file.write_bytes(written(content))
        assert ("Sealed texts tried" in ask(written(content), KEY)[1]) == told
        options = argparse.Namespace(file=file, key=key, handle="")
        assert receipt_command.run(options, None) == 0
        assert ("41 sealed texts were tried: 0 opened" in capsys.readouterr().out) == told


KEPT = (
    "a tag, so that nobody poses as you (ends 2026-12-08)",
    "a hash, so that it can be known (ends with the instance)",
)
SENT = "faraway (Iceland), until 2026-11-01; keeps: 9 days; gone there: -"


def test_what_stays_is_told_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is kept and how it ends, who got parts, and the end of the backups: by the form as by the command."""
    file, key = tmp_path / "receipt.json", tmp_path / "key"
    file.write_bytes(written(receipt()))
    key.write_text(KEY)
    assert receipt_command.run(argparse.Namespace(file=file, key=key, handle=""), None) == 0
    for told in (ask(written(receipt()), KEY)[1], capsys.readouterr().out):
        for words in (*KEPT, SENT, "destroyed on 2026-12-08"):
            assert words in told


@pytest.mark.parametrize("name", FALSE)
def test_the_form_refuses(name: str) -> None:
    """Whatever is not whole, under the right key too."""
    status, page = ask(FALSE[name], KEY)
    assert (status, "is whole" in page) == (422, False)


@pytest.fixture
def kept(tmp_path: Path) -> str:
    """The page as somebody kept it: the address of a file."""
    path = tmp_path / "check-a-receipt.html"
    path.write_bytes(Client().get("/your-data/receipt/check/offline/").content)
    return path.as_uri()


def check_in(page: Page, content: bytes, key: str) -> str:
    page.set_input_files("#file", {"name": "receipt.json", "mimeType": "application/json", "buffer": content})
    page.fill("#key", key)
    page.evaluate("document.getElementById('answer').textContent = ''")
    page.click("button")
    page.locator("#answer:not(:empty)").wait_for()
    return page.inner_text("#answer")


@pytest.mark.browser
def test_a_kept_page_checks_without_anybody(kept: str, open_page: Callable[..., Page]) -> None:  # noqa: F811
    """From a file, with the network cut: it says of each what the program says, and of a true one what stands on it."""
    page = open_page(kept)
    page.context.set_offline(True)
    assert page.input_value("#key") == receipt_key()
    for key in (KEY, f" {KEY}", json.dumps({"key": KEY})):
        assert "is whole" in check_in(page, written(receipt()), key)
    shown = page.inner_text("#said")
    for words in ("2026-11-08", "3 found, 0 left", *KEPT, SENT, "b: its key is destroyed", "Gone.", "</script>"):
        assert words in shown
    for content, key in [(content, KEY) for content in FALSE.values()] + [
        (written(receipt()), key or receipt_key()) for key in KEYS.values()
    ]:
        with pytest.raises(NotGenuine) as refusal:
            check_receipt(content, key=key)
        assert check_in(page, content, key) == str(refusal.value).replace("this program knows", "this page knows")
        assert page.inner_text("#said") == ""
    assert "is whole" in check_in(page, written(receipt(), seed=receipt_seed()), receipt_key())
    tried = receipt(verification={"texts_tried": 41, "texts_opened": 0, "things_left": 0})
    assert "is whole" in check_in(page, written(tried), KEY)
    assert "41 tried, 0 opened" in page.inner_text("#said")


@pytest.mark.browser
def test_a_kept_page_is_read_on_a_phone(kept: str, open_page: Callable[..., Page]) -> None:  # noqa: F811
    """Names of places are long: what is said of them keeps its room, and nothing runs out at the side."""
    page = open_page(kept, width=390, height=844)
    long = [{"store": "database:default accounts_accesscount", "found": 3, "left": 0}]
    assert "is whole" in check_in(page, written(receipt(stores=long)), KEY)
    assert min(page.eval_on_selector_all("dd", "all => all.map((one) => one.clientWidth)")) > 300
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_a_number_that_it_cannot_spell(kept: str, open_page: Callable[..., Page]) -> None:  # noqa: F811
    """It names the command, and calls nothing genuine or forged."""
    page = open_page(kept)
    for number in (2**60, 0.5):
        said = check_in(page, written(receipt(policy_version=number)), KEY)
        assert ("Nothing was checked" in said, "mindstage receipt verify" in said) == (True, True)


@pytest.mark.browser
def test_a_browser_that_cannot(kept: str, open_page: Callable[..., Page]) -> None:  # noqa: F811
    """Without this kind of signature, or without any, it says so and names the command."""
    page = open_page(kept)
    page.evaluate(
        "() => { crypto.subtle.importKey = async () => { throw new DOMException('no', 'NotSupportedError') } }"
    )
    said = check_in(page, written(receipt()), KEY)
    assert ("cannot check signatures" in said, "mindstage receipt verify" in said) == (True, True)
    page.evaluate("() => { Object.defineProperty(crypto, 'subtle', { value: undefined }) }")
    assert check_in(page, written(receipt()), KEY) == said


@pytest.mark.browser
def test_the_page_works_where_it_is_served(open_page: Callable[..., Page]) -> None:  # noqa: F811
    """Under the policy that comes with it, which lets it connect to nobody; the form links it, to be kept too."""
    answer = Client().get("/your-data/receipt/check/offline/")
    sent = answer.headers["Content-Security-Policy"]
    assert sent == f"{policy()}; frame-ancestors 'none'"
    assert ("default-src 'none'" in sent, "unsafe" in sent, "connect-src" in sent) == (True, False, False)
    assert 'download="check-a-receipt.html"' in Client().get("/your-data/receipt/check/").content.decode()

    def serve(route: Route) -> None:
        route.fulfill(status=200, headers=dict(answer.headers), body=answer.content)

    page = open_page("about:blank")
    page.route("http://localhost/**", serve)
    page.goto("http://localhost/your-data/receipt/check/offline/")
    assert "is whole" in check_in(page, written(receipt(), seed=receipt_seed()), receipt_key())


def test_the_form_does_not_say_that_an_account_is_gone() -> None:
    """Whoever was just handed a code comes here as well, days before the end."""
    page = Client().get("/your-data/receipt/").content.decode()
    assert "while the account waits for its end and when it is gone" in page
    assert "Your account is gone" not in page
