"""How the ledger names what it is about: a keyed hash, so that only this instance can say whom an entry means."""

from __future__ import annotations

import uuid

from mindstage.vault.keys import instance_key
from mindstage.vault.sealing import tag


def ledger_tag(subject: uuid.UUID) -> str:
    """The tag of an account, an item or a turn, in hexadecimal. Ids never repeat, so one tag means one thing."""
    return tag(instance_key("ledger"), subject.bytes)[:16].hex()
