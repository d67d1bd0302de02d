"""Letters: the mail door. A letter holds one fixed sentence or one single-use code; no handle, no story text, and no
link that opens anything: the news of a policy names its public page.

Where the instance has no mail server nothing of this is offered, and no address is asked for.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable

from django.conf import settings
from django.core.mail import EmailMessage, mailers, make_msgid
from django.db import connections, transaction
from django.tasks import task
from django.template.loader import render_to_string

from mindstage.accounts.models import EmailAddress, Notice
from mindstage.accounts.sealed_notices import open_notice
from mindstage.vault.purposes import Purpose

logger = logging.getLogger(__name__)

FROM = "mindstage@localhost"


def sends_mail() -> bool:
    """Whether this instance has a mail server."""
    return "default" in mailers


def address_of(account: uuid.UUID) -> str | None:
    """The verified address of an account, if it has one. Raises KeyGone."""
    row = EmailAddress.objects.filter(account=account).first()
    return row.open("address", Purpose.NOTIFY) if row else None


@task
def send_notice(notice: str) -> None:
    """Send one notice to its owner's address. A job: tried again when the mail server is away.

    A job that was killed after its letter had gone sends it once more; being the same letter, it has the same
    identifier, by which mail servers and programs know it again.
    """
    row = Notice.objects.filter(pk=uuid.UUID(notice)).first()
    address = address_of(row.account_id) if row else None
    if row is not None and address is not None:
        _send(address, "notice", {"text": open_notice(row, Purpose.NOTIFY)[1]}, ident=row.pk.hex)


def send_code(address: str, code: str) -> None:
    """Send the code that proves an address to be its owner's, beside the request."""
    _beside(lambda: _send(address, "code", {"code": code, "recovery": False}))


def send_recovery_code(account: uuid.UUID | None, code: str) -> None:
    """Send a code to the verified address of an account, or none to nobody.

    All of it beside the request, the look-up of the address too: how long that takes tells nobody whether there was
    somebody to send it to.
    """

    def deed() -> None:
        if account and (address := address_of(account)):
            _send(address, "code", {"code": code, "recovery": True})

    _beside(deed)


def say_goodbye(address: str) -> None:
    """Tell a former address, once this transaction is kept, that it is no longer the one."""
    text = "This address was taken out of the account, or replaced by another."
    transaction.on_commit(lambda: _beside(lambda: _send(address, "notice", {"text": text})))


def _send(address: str, letter: str, words: dict[str, object], *, ident: str = "") -> None:
    context = {**words, "instance": settings.MINDSTAGE.name}
    subject, _, text = render_to_string(f"accounts/letters/{letter}.txt", context).partition("\n")
    sender = settings.MINDSTAGE.mail_from or FROM
    domain = sender.rpartition("@")[2].rstrip(">")
    message_id = f"<{ident}@{domain}>" if ident else make_msgid(domain=domain)
    headers = {"Message-ID": message_id, "Auto-Submitted": "auto-generated"}
    EmailMessage(subject.strip(), text.lstrip("\n"), sender, [address], headers=headers).send(using="default")


def _beside(deed: Callable[[], None]) -> None:
    def run() -> None:
        try:
            deed()
        except Exception as error:  # a mail server's, or that of the way to it; its words may name an address
            logger.warning("A letter could not be sent (%s).", type(error).__name__)
        finally:
            connections.close_all()  # of this thread

    threading.Thread(target=run, name="letter").start()
