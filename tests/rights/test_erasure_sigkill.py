"""A process that ends at each of its writes, in the middle of an erasure or of calling it off."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from django.db import connections

from children import fork_and_wait
from mindstage.accounts.handles import handle_tag, tag_of_account
from mindstage.accounts.models import User
from mindstage.ledger.receipts import check_receipt
from mindstage.rights.erasure import cancel_erasure, find_request, request_erasure, run_due
from mindstage.rights.receipts import fetch_receipt, receipt_key
from mindstage.stories.models import Story
from mindstage.vault.clocks import turn_night
from mindstage.vault.ending import is_reserved
from mindstage.vault.keys import close_vault
from mindstage.vault.purposes import Purpose
from mindstage.vault.start_check import Mode, check_start
from rights.erasures import assert_gone, assert_intact, make_life, pass_nights, request_of
from rights.reaper import Killed, Reaper, killing

pytestmark = [pytest.mark.django_db(databases=["default", "keystore"], transaction=True)]


class Sigkill(Reaper):
    """No exception, no handler, no `finally`: the process is gone before the write."""

    def count(self) -> None:
        self.seen += 1
        if self.seen == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def lives_through(deed: Callable[[], None], at: int) -> bool:
    """Do it, and be killed at write number `at`; False when that happened."""
    return _in_a_child(deed, at) if connections["default"].vendor == "sqlite" else _in_this_process(deed, at)


def _in_this_process(deed: Callable[[], None], at: int) -> bool:
    """With a server, whose pool of connections no child can take over, the end is an exception that nobody catches."""
    try:
        with pytest.MonkeyPatch.context() as patch, killing(Reaper(at), patch):
            deed()
    except Killed:
        close_vault()
        return False
    return True


def _in_a_child(deed: Callable[[], None], at: int) -> bool:
    connections.close_all()
    close_vault()

    def until_killed() -> int:
        with pytest.MonkeyPatch.context() as patch, killing(Sigkill(at), patch):
            deed()
        return 0

    status = fork_and_wait(until_killed)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.waitstatus_to_exitcode(status) == 0
    return True


@pytest.mark.drill
def test_killed_at_every_write_it_goes_on(vault: None) -> None:
    """Whatever the process was doing: the next start opens, the next nights end the person, the receipt is whole."""
    ben, at, whole = make_life("ben"), 0, False

    def go_on() -> None:
        pass_nights(1)
        run_due()

    while not whole:
        at += 1
        ada = make_life(f"ada {at}")
        asked = request_erasure(ada.person.pk)
        for _ in range(6):  # in which nothing is due
            turn_night()
        whole = lives_through(go_on, at)
        assert check_start(handle_of=tag_of_account).mode is Mode.OPEN
        pass_nights(2)
        run_due()
        assert request_of(asked).state == "done", at
        assert_gone(ada)
        assert check_receipt(fetch_receipt(asked.claim_code), key=receipt_key())["keys"]["destroyed"]
        assert is_reserved(handle_tag(f"ada {at}"))
    assert at > 25
    assert_intact(ben)


@pytest.mark.drill
def test_killed_while_calling_it_off(transactional_db: None, vault: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is then either called off or not, and never half."""
    at, whole = 0, False
    while not whole:
        at += 1
        ada = make_life(f"ada {at}")
        asked = request_erasure(ada.person.pk)
        try:
            with killing(Reaper(at), monkeypatch):
                cancel_erasure(request_of(asked))
            whole = True
        except Killed:
            close_vault()
        assert check_start(handle_of=tag_of_account).mode is Mode.OPEN
        run_due()
        kept = User.objects.get(pk=ada.person.pk).is_active
        assert kept == (find_request(asked.claim_code) is None)
        if not kept:
            cancel_erasure(request_of(asked))
        pass_nights(9)
        assert Story.objects.get(pk=ada.story.pk).open("title", Purpose.SHOW)
