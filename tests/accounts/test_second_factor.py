"""One-time codes: asked for after the passphrase, each good once, and nothing opens before."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta
from html import unescape

import pyotp
import pytest
import segno
from django.db import connections
from django.test import Client

from mindstage.accounts.models import Doorstep, Factor, Session, User
from mindstage.accounts.recovery_codes import make_recovery_codes
from mindstage.accounts.sessions import keep_proof
from mindstage.accounts.sign_in import change_passphrase
from mindstage.accounts.totp import STEP, make_totp_secret, spend_totp_code, turn_on_totp
from mindstage.kit import clock
from mindstage.vault.purposes import Purpose
from people import PASSPHRASE, make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
ADA = {"handle": "ada", "passphrase": PASSPHRASE, "next": "/characters/"}
PAGES = ("/account/", "/account/codes/", "/account/recovery-codes/", "/session/proof/")


def code_of(secret: str, *, steps: int = 0) -> str:
    """What the app shows now, or some steps later."""
    return pyotp.TOTP(secret).generate_otp(int(clock.timestamp() // STEP) + steps)


def with_totp(handle: str = "ada") -> tuple[User, str]:
    """An account that asks for codes; the code of two steps ago was its first."""
    account, secret = make_person(handle), make_totp_secret()
    with clock.moved(timedelta(seconds=-2 * STEP)):
        turn_on_totp(account=account, secret=secret, code=code_of(secret))
    return account, secret


def at_the_code() -> Client:
    """A browser that gave the right passphrase and stands before the code."""
    client = Client()
    assert client.post("/session/new/", ADA).headers["Location"] == "/session/code/"
    return client


def test_the_code_leads_on_to_where_the_person_wanted_to_go() -> None:
    _, secret = with_totp()
    client = at_the_code()
    assert "The passphrase is right" in client.get("/session/code/").content.decode()
    response = client.post("/session/code/", {"code": code_of(secret)})
    assert (response.status_code, response.headers["Location"]) == (302, "/characters/")
    assert client.get("/account/").status_code == 200
    assert not Doorstep.objects.exists()


def test_nothing_opens_before_the_code() -> None:
    """The half-in browser has no session: every own page leads to the door, its cookie as a session opens nothing."""
    with_totp()
    client = at_the_code()
    assert "session" not in client.cookies
    assert not Session.objects.exists()
    client.cookies["session"] = client.cookies["door"].value
    for path in PAGES:
        response = client.get(path)
        assert response.headers["Location"].startswith("/session/new/"), path


def test_no_step_can_be_skipped_or_taken_twice() -> None:
    """A code without the passphrase before it, or after it was used, leads to the beginning."""
    _, secret = with_totp()
    stranger = Client()
    response = stranger.post("/session/code/", {"code": code_of(secret)})
    assert response.headers["Location"] == "/session/new/"
    client = at_the_code()
    door = client.cookies["door"].value
    client.post("/session/code/", {"code": code_of(secret)})
    stranger.cookies["door"] = door
    response = stranger.post("/session/code/", {"code": code_of(secret, steps=1)})
    assert response.headers["Location"] == "/session/new/"
    assert Session.objects.count() == 1


def test_half_in_ends_after_ten_minutes() -> None:
    """A second before it still goes on, at the edge no more."""
    _, secret = with_totp()
    client = at_the_code()
    with clock.moved(timedelta(minutes=9, seconds=59)):
        assert client.get("/session/code/").status_code == 200
    with clock.moved(timedelta(minutes=10, seconds=1)):
        assert client.post("/session/code/", {"code": code_of(secret)}).headers["Location"] == "/session/new/"


def test_half_in_ends_with_the_passphrase_and_with_the_account() -> None:
    account, secret = with_totp()
    client = at_the_code()
    change_passphrase(account=account, old=PASSPHRASE, new="other words of velvet", device="computer")
    assert client.post("/session/code/", {"code": code_of(secret)}).headers["Location"] == "/session/new/"
    frozen, secret = with_totp("ben")
    client = Client()
    client.post("/session/new/", ADA | {"handle": "ben"})
    User.objects.filter(pk=frozen.pk).update(state="destroying")
    assert client.post("/session/code/", {"code": code_of(secret)}).headers["Location"] == "/session/new/"


@pytest.mark.parametrize(("path", "data"), [("/session/end/", {"everywhere": "1"}), ("/account/sessions/end/", {})])
def test_half_in_ends_when_all_sessions_do(path: str, data: dict[str, str]) -> None:
    """Log out everywhere, or end all the others: who stood before the code stands outside. A log-out here is none."""
    account, secret = with_totp()
    mine, waiting = signed_in_client(account), at_the_code()
    signed_in_client(account).post("/session/end/")
    assert waiting.get("/session/code/").status_code == 200
    assert mine.post(path, data).status_code == 302
    assert waiting.post("/session/code/", {"code": code_of(secret)}).headers["Location"] == "/session/new/"
    assert at_the_code().post("/session/code/", {"code": code_of(secret)}).headers["Location"] == "/characters/"


def test_another_step_of_a_door_is_no_half_way_in() -> None:
    """The doorstep of setting up codes does not serve for logging in."""
    account = make_person("ada")
    client = signed_in_client(account)
    keep_proof(client.cookies["session"].value)
    client.get("/account/codes/")
    stranger = Client()
    stranger.cookies["door"] = client.cookies["door"].value
    assert stranger.get("/session/code/").headers["Location"] == "/session/new/"


def test_a_code_is_good_once() -> None:
    """The same code again is refused, and so is an earlier one that was never used."""
    account, secret = with_totp()
    now, before = code_of(secret), code_of(secret, steps=-1)
    assert spend_totp_code(account.pk, now)
    assert not spend_totp_code(account.pk, now)
    assert not spend_totp_code(account.pk, before)
    assert spend_totp_code(account.pk, code_of(secret, steps=1))
    assert not spend_totp_code(account.pk, code_of(secret, steps=2))


@pytest.mark.parametrize("code", ["", "12345", "1234567", "einszw", "٠١٢٣٤٥", "0" * 4000])
def test_what_is_no_code_is_refused(code: str) -> None:
    account, _ = with_totp()
    assert not spend_totp_code(account.pk, code)


def test_codes_have_a_limit_of_their_own() -> None:
    """Ten wrong codes; then the right one waits too, whatever the right passphrase says meanwhile."""
    _, secret = with_totp()
    for _ in range(10):
        assert at_the_code().post("/session/code/", {"code": "000000"}).status_code == 422
    response = at_the_code().post("/session/code/", {"code": code_of(secret)})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


def test_a_recovery_code_stands_for_the_app() -> None:
    """Each once; spelling does not matter."""
    account, _ = with_totp()
    codes = make_recovery_codes(account=account)
    assert len(set(codes)) == 10
    typed = f" {codes[3].upper().replace('-', ' ')} "
    assert at_the_code().post("/session/code/", {"code": typed}).status_code == 302
    assert at_the_code().post("/session/code/", {"code": codes[3]}).status_code == 422
    assert at_the_code().post("/session/code/", {"code": codes[4]}).status_code == 302


def test_a_sheet_does_not_lead_past_the_app_either() -> None:
    """It stands for the passphrase that was lost: then a code of the app is asked for, or a second one of the sheet."""
    account, secret = with_totp()
    codes = make_recovery_codes(account=account)
    for number, second in enumerate((code_of(secret), codes[1])):
        client, lost = Client(), codes[2 + number]
        answer = client.post("/session/recovery/", {"handle": "ada", "code": lost})
        assert answer.headers["Location"] == "/session/code/"
        assert "session" not in client.cookies
        assert client.post("/session/code/", {"code": lost}).status_code == 422
        assert client.post("/session/code/", {"code": second}).headers["Location"] == "/account/?recovered#change"
    assert Session.objects.count() == 2


def test_somebody_elses_key_is_not_turned_on() -> None:
    """The key that waits in Ada's browser, carried over into Ben's: it is not taken, and he is shown one of his own."""
    ada, ben = signed_in_client(make_person("ada")), signed_in_client(make_person("ben"))
    for client in (ada, ben):
        keep_proof(client.cookies["session"].value)
    found = re.search(r"secret=([A-Z2-7]+)", ada.get("/account/codes/").content.decode())
    assert found
    ben.cookies["door"] = ada.cookies["door"].value
    page = ben.post("/account/codes/", {"code": code_of(found[1])}).content.decode()
    assert "secret=" in page
    assert found[1] not in page
    assert not Factor.objects.exists()


def test_turning_codes_on_needs_a_proof_and_a_right_code() -> None:
    """Nothing is asked for before the app showed that it has the key; the key stands on that page alone."""
    client = signed_in_client(make_person("ada"))
    assert client.get("/account/codes/").headers["Location"].startswith("/session/proof/?next=")
    keep_proof(client.cookies["session"].value)
    page = client.get("/account/codes/").content.decode()
    found = re.search(r"secret=([A-Z2-7]+)", page)
    assert found
    assert client.post("/account/codes/", {"code": "000000"}).status_code == 422
    assert not Factor.objects.exists()
    assert client.post("/account/codes/", {"code": code_of(found[1])}).status_code == 302
    assert json.loads(Factor.objects.get().open("sealed", Purpose.SIGN_IN))["secret"] == found[1]
    assert "asks for a one-time code" in client.get("/account/").content.decode()
    assert at_the_code().post("/session/code/", {"code": code_of(found[1])}).status_code == 422  # spent by setting up
    assert client.post("/account/codes/removal/").status_code == 302
    assert Client().post("/session/new/", ADA).headers["Location"] == "/characters/"


def test_the_key_is_shown_to_a_camera_too() -> None:
    """The square is the very address that stands in the link, drawn in the page and fetched from nowhere."""
    client = signed_in_client(make_person("ada"))
    keep_proof(client.cookies["session"].value)
    page = client.get("/account/codes/").content.decode()
    address = re.search(r'href="(otpauth:[^"]+)"', page)
    square = re.search(r'<svg viewBox="0 0 (\d+) \1" class="qr">(.*?)</svg>', page)
    assert address
    assert square
    assert read_modules(square[2]) == dark_modules(unescape(address[1]))
    assert "<image" not in square[2]
    assert "style=" not in square[2]  # the content policy allows none


def read_modules(drawn: str) -> set[tuple[int, int]]:
    """Column and row of each dark square of a drawn QR code: a path of strokes (h) and moves (m)."""
    path = re.search(r'stroke="#000" d="([^"]+)"', drawn)
    assert path
    column, row, found = 0.0, 0.0, set()
    for kind, numbers in re.findall(r"([Mmh])([^Mmh]*)", path[1]):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if kind == "h":
            found |= {(int(column) + step, int(row)) for step in range(int(values[0]))}
            column += values[0]
        else:
            column, row = (values[0], values[1]) if kind == "M" else (column + values[0], row + values[1])
    return found


def dark_modules(address: str) -> set[tuple[int, int]]:
    """The same of the code that this address has, within a border of four."""
    matrix = segno.make_qr(address, error="m").matrix
    return {(x + 4, y + 4) for y, line in enumerate(matrix) for x, dark in enumerate(line) if dark}


@pytest.mark.django_db(databases=["default", "keystore"], transaction=True)
def test_of_two_at_once_one_gets_in() -> None:
    """One app's code and one recovery code, each sent eight times at the same moment: each is right once."""
    account, secret = with_totp()
    sheet = make_recovery_codes(account=account)
    for code in (code_of(secret), sheet[0]):
        assert count_right(account, code) == 1


def count_right(account: User, code: str) -> int:
    from mindstage.accounts.sign_in import give_second_factor

    gate, right = threading.Barrier(8, timeout=20), []

    def run() -> None:
        gate.wait()
        right.append(give_second_factor(account=account, code=code, network=b""))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return sum(right)
