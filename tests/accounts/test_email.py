"""The optional address: kept only when its owner showed the code, used for notices and as a way back in."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client, override_settings

from accounts.test_second_factor import code_of, with_totp
from mindstage.accounts.email import address_tag, keep_address, remove_address
from mindstage.accounts.models import EmailAddress, Session, User
from mindstage.accounts.notices import notify
from mindstage.accounts.rate_limits import CODES_OF_A_NETWORK, LETTERS_OF_A_NETWORK, count_try, network_of
from mindstage.accounts.refused import Refused
from mindstage.accounts.sessions import end_all, keep_proof
from mindstage.accounts.sign_in import change_passphrase
from mindstage.config.configuration import ConfigurationMistake
from mindstage.config.mail import mailers
from mindstage.kit import clock
from mindstage.ops.jobs import run_next_job
from mindstage.ops.models import Job
from people import PASSPHRASE, count_questions, make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
ADDRESS = "planted.ada@example.org"
CODE = re.compile(r"\b([2-9a-z]{4}-[2-9a-z]{4})\b")


@pytest.fixture(autouse=True)
def mail_server() -> Iterator[None]:
    """Letters are kept in `mail.outbox`."""
    with override_settings(MAILERS={"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}):
        yield


def wait_for_letters(number: int) -> list[EmailMessage]:
    """The letters, once there are so many of them: they are sent beside the request."""
    deadline = time.monotonic() + 5
    while len(mail.outbox) < number and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(mail.outbox) == number
    return mail.outbox


def proven_client(account: User) -> Client:
    client = signed_in_client(account)
    keep_proof(client.cookies["session"].value)
    return client


def code_in(letter: EmailMessage) -> str:
    found = CODE.search(str(letter.body))
    assert found
    return found[1]


def test_an_address_is_kept_once_its_owner_shows_the_code() -> None:
    """Not before; the letter goes to that address alone and holds the code, no handle and no link."""
    account = make_person("Zyxada")
    client = proven_client(account)
    assert client.post("/account/email/", {"address": f" {ADDRESS} "}).headers["Location"] == "/account/email/code/"
    (letter,) = wait_for_letters(1)
    assert letter.to == [ADDRESS]
    assert "Zyxada" not in str(letter.message())
    assert "http" not in str(letter.body)
    assert client.post("/account/email/code/", {"code": "2222-2222"}).status_code == 422
    assert not EmailAddress.objects.exists()
    assert client.post("/account/email/code/", {"code": code_in(letter).upper()}).status_code == 302
    page = client.get("/account/").content.decode()
    assert ADDRESS in page
    assert ('name="place" value="email"' in page, 'id="email"' in page) == (True, True)
    assert client.post("/account/email/code/", {"code": code_in(letter)}).headers["Location"] == "/account/email/"


def test_the_code_ends_after_ten_minutes_and_belongs_to_its_account() -> None:
    ada, ben = proven_client(make_person("ada")), proven_client(make_person("ben"))
    ada.post("/account/email/", {"address": ADDRESS})
    code = code_in(wait_for_letters(1)[0])
    ben.cookies["door"] = ada.cookies["door"].value
    assert ben.post("/account/email/code/", {"code": code}).headers["Location"] == "/account/email/"
    with clock.moved(timedelta(minutes=10)):
        keep_proof(ada.cookies["session"].value)
        assert ada.post("/account/email/code/", {"code": code}).headers["Location"] == "/account/email/"
    assert not EmailAddress.objects.exists()


def test_an_address_needs_a_proof_and_looks_like_one() -> None:
    account = make_person("ada")
    assert signed_in_client(account).get("/account/email/").headers["Location"].startswith("/session/proof/")
    client = proven_client(account)
    for wrong in ("", "ada", "ada@", "ada@example.org\nBcc: x@example.org", "a" * 250 + "@example.org"):
        assert client.post("/account/email/", {"address": wrong}).status_code == 422, wrong
    assert mail.outbox == []


def test_notices_go_to_the_address_by_a_job() -> None:
    """The job holds an identifier alone; without an address there is none."""
    account = make_person("ada")
    notify(account=account, text="Nobody to write to.")
    assert not Job.objects.exists()
    keep_address(account=account, address=ADDRESS)
    notify(account=account, text="One-time codes were turned off.")
    assert ADDRESS not in str(list(Job.objects.values()))
    while run_next_job():
        pass
    assert "was added" in str(mail.outbox[0].body)
    assert "were turned off" in str(mail.outbox[1].body)
    assert [letter.to for letter in mail.outbox] == [[ADDRESS], [ADDRESS]]


def test_a_former_address_is_told() -> None:
    account = make_person("ada")
    keep_address(account=account, address=ADDRESS)
    keep_address(account=account, address="new@example.org")
    assert wait_for_letters(1)[0].to == [ADDRESS]
    remove_address(account=account)
    assert wait_for_letters(2)[1].to == ["new@example.org"]
    assert not EmailAddress.objects.exists()


def test_an_address_belongs_to_one_account() -> None:
    """In any spelling; who has it already keeps it, and the other's former address stays."""
    ada, ben = make_person("ada"), make_person("ben")
    keep_address(account=ada, address=ADDRESS)
    keep_address(account=ben, address="ben@example.org")
    with pytest.raises(Refused):
        keep_address(account=ben, address=ADDRESS.upper())
    assert {bytes(row.address_tag) for row in EmailAddress.objects.all()} == {
        address_tag(ADDRESS),
        address_tag("ben@example.org"),
    }


def test_a_letter_leads_back_in() -> None:
    """In the browser that asked; a new passphrase is then taken without the old one."""
    keep_address(account=make_person("ada"), address=ADDRESS)
    client = Client()
    assert client.post("/session/recovery/mail/", {"address": ADDRESS.upper()}).status_code == 302
    code = code_in(wait_for_letters(1)[0])
    assert Client().post("/session/recovery/mail/code/", {"code": code}).headers["Location"] == "/session/recovery/"
    response = client.post("/session/recovery/mail/code/", {"code": code})
    assert response.headers["Location"] == "/account/?recovered#change"
    assert "sent to your e-mail address" in client.get("/account/").content.decode()
    assert client.post("/account/passphrase/", {"new": "other words of velvet"}).status_code == 302
    assert client.post("/session/recovery/mail/code/", {"code": code}).headers["Location"] == "/session/recovery/"


def test_a_code_of_a_letter_counts_once() -> None:
    """Whoever copied the cookie and read the letter over somebody's shoulder comes too late, for either kind."""
    account = make_person("ada")
    here, copied = proven_client(account), proven_client(account)
    here.post("/account/email/", {"address": ADDRESS})
    code = code_in(wait_for_letters(1)[0])
    copied.cookies["door"] = here.cookies["door"].value
    assert here.post("/account/email/code/", {"code": code}).headers["Location"] == "/account/"
    remove_address(account=account)
    assert copied.post("/account/email/code/", {"code": code}).headers["Location"] == "/account/email/"
    assert not EmailAddress.objects.exists()
    wait_for_letters(2)  # the second says that the address was taken out
    keep_address(account=account, address=ADDRESS)
    lost, copied = Client(), Client()
    lost.post("/session/recovery/mail/", {"address": ADDRESS})
    code = code_in(wait_for_letters(3)[2])
    copied.cookies["door"] = lost.cookies["door"].value
    assert lost.post("/session/recovery/mail/code/", {"code": code}).status_code == 302
    before = Session.objects.count()
    assert copied.post("/session/recovery/mail/code/", {"code": code}).headers["Location"] == "/session/recovery/"
    assert Session.objects.count() == before


@pytest.mark.parametrize(
    "deed",
    [
        partial(change_passphrase, old=PASSPHRASE, new="other words of velvet", device="computer"),
        end_all,
        lambda account: User.objects.filter(pk=account.pk).update(state=User.State.DESTROYING),
    ],
    ids=["another passphrase", "logged out everywhere", "being erased"],
)
def test_a_letter_ends_with_what_it_was_for(deed: Callable[..., object]) -> None:
    """Somebody who asked for one before their owner changed the passphrase, or logged everybody out, stays outside."""
    account = make_person("ada")
    keep_address(account=account, address=ADDRESS)
    lost = Client()
    lost.post("/session/recovery/mail/", {"address": ADDRESS})
    code = code_in(wait_for_letters(1)[0])
    deed(account=account)
    Session.objects.all().delete()
    assert lost.post("/session/recovery/mail/code/", {"code": code}).status_code == 422
    assert not Session.objects.exists()


def test_an_account_that_is_being_erased_gets_no_letter() -> None:
    account = make_person("ada")
    keep_address(account=account, address=ADDRESS)
    User.objects.update(state=User.State.DESTROYING)
    for address in (ADDRESS, "nobody@example.org"):
        assert Client().post("/session/recovery/mail/", {"address": address}).status_code == 302
    for thread in [one for one in threading.enumerate() if one.name == "letter"]:
        thread.join(5)
    assert mail.outbox == []


def test_a_letter_does_not_lead_past_the_one_time_code() -> None:
    account, secret = with_totp()
    keep_address(account=account, address=ADDRESS)
    client = Client()
    client.post("/session/recovery/mail/", {"address": ADDRESS})
    code = code_in(wait_for_letters(1)[0])
    assert client.post("/session/recovery/mail/code/", {"code": code}).headers["Location"] == "/session/code/"
    assert not Session.objects.exists()
    for page in (client.get("/session/code/"), client.post("/session/code/", {"code": "000000"})):
        words = page.content.decode()
        assert ("The code in the e-mail is right" in words, "passphrase is right" in words) == (True, False)
        assert 'href="/session/recovery/mail/">Begin again' in words
    response = client.post("/session/code/", {"code": code_of(secret)})
    assert response.headers["Location"] == "/account/?recovered#change"


def test_nobody_learns_whether_an_address_is_known() -> None:
    """The same pages, the same refusals, the same limit, the same queries; only the letter differs."""
    keep_address(account=make_person("ada"), address=ADDRESS)
    seen, questions = [], []
    for address in (ADDRESS, "nobody@example.org"):
        client = Client()
        answer, asked = count_questions(partial(client.post, "/session/recovery/mail/", {"address": address}))
        questions.append(asked)
        answers = [answer]
        answers += [client.post("/session/recovery/mail/code/", {"code": "2222-2222"})]
        answers += [client.post("/session/recovery/mail/", {"address": address}) for _ in range(3)]
        pages = [re.sub(r'value="[^"]*"|nonce="[^"]*"', "", one.content.decode()) for one in answers]
        seen.append(([one.status_code for one in answers], pages))
    assert seen[0] == seen[1]
    assert questions[0] == questions[1]
    assert seen[0][0] == [302, 422, 302, 302, 429]
    wait_for_letters(3)


def test_codes_of_all_kinds_count_for_their_network() -> None:
    """Whoever tries few codes of many people is stopped as well; each door that takes a code counts them."""
    account, secret = with_totp()
    keep_address(account=account, address=ADDRESS)
    proven, half_in, lost, somebody = proven_client(account), Client(), Client(), signed_in_client(account)
    half_in.post("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE})
    lost.post("/session/recovery/mail/", {"address": ADDRESS})
    proven.post("/account/email/", {"address": "new@example.org"})
    wait_for_letters(2)
    for _ in range(CODES_OF_A_NETWORK.most):
        count_try(CODES_OF_A_NETWORK, network_of("127.0.0.1"))
    for client, path in [
        (half_in, "/session/code/"),
        (lost, "/session/recovery/mail/code/"),
        (proven, "/account/email/code/"),
        (somebody, "/session/proof/"),
        (Client(), "/session/recovery/"),
    ]:
        assert client.post(path, {"handle": "ada", "code": code_of(secret)}).status_code == 429, path
    assert Client(REMOTE_ADDR="192.0.2.1").post("/session/recovery/", {"handle": "x", "code": "x"}).status_code == 422


def test_letters_count_for_their_network() -> None:
    """However many addresses one of them writes to; those of a recovery and those of an account together."""
    client = proven_client(make_person("ada"))
    for number in range(LETTERS_OF_A_NETWORK.most):
        assert Client().post("/session/recovery/mail/", {"address": f"x{number}@example.org"}).status_code == 302
    for one, path in ((Client(), "/session/recovery/mail/"), (client, "/account/email/")):
        assert one.post(path, {"address": ADDRESS}).status_code == 429
    assert mail.outbox == []


def test_a_mail_server_that_is_away_costs_nothing_but_the_letter(caplog: pytest.LogCaptureFixture) -> None:
    """The page goes on; the log names the kind of error, not the address."""
    caplog.set_level(logging.INFO)
    away = {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": {"host": "127.0.0.1", "port": 1}}
    client = proven_client(make_person("ada"))
    with override_settings(MAILERS={"default": away}):
        assert client.post("/account/email/", {"address": ADDRESS}).status_code == 302
        deadline = time.monotonic() + 5
        while "could not be sent" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.01)
    assert "could not be sent (ConnectionRefusedError)" in caplog.text
    assert "planted" not in caplog.text


def test_without_a_mail_server_no_address_is_asked_for() -> None:
    """No field, no page, no promise."""
    client = proven_client(make_person("ada"))
    with override_settings(MAILERS={}):
        assert client.get("/account/email/").status_code == 404
        assert Client().get("/session/recovery/mail/").status_code == 404
        assert "E-mail" not in client.get("/account/").content.decode()
        assert "by mail" not in Client().get("/session/recovery/").content.decode()


def test_the_mail_server_is_one_address() -> None:
    """As the configuration says it; a mistake repeats no password."""
    assert mailers("") == {}
    options = mailers("smtp://ada:p%40ss@mail.example:2587")["default"]["OPTIONS"]
    assert (options["host"], options["port"], options["password"]) == ("mail.example", 2587, "p@ss")
    assert (options["use_tls"], options["use_ssl"]) == (True, False)
    assert mailers("smtps://mail.example")["default"]["OPTIONS"]["port"] == 465
    for wrong in ("mail.example", "http://x:planted@mail.example", "smtp://", "smtp://x:planted@mail.example:port"):
        with pytest.raises(ConfigurationMistake) as caught:
            mailers(wrong)
        assert "planted" not in str(caught.value)


def test_a_code_goes_to_the_address_that_was_verified_and_to_no_lookalike() -> None:
    """The look-up folds letters that are two different addresses to a mail server: straße and strasse."""
    account = make_person("ada")
    keep_address(account=account, address="ada@strasse.example")
    for typed in ("ada@stra\u00dfe.example", "ADA@STRASSE.EXAMPLE", "ada\uff20strasse.example"):
        mail.outbox.clear()
        Client().post("/session/recovery/mail/", {"address": typed})
        (letter,) = wait_for_letters(1)
        assert letter.to == ["ada@strasse.example"]
