"""How far the ledger goes, signed, for whoever keeps watch: the one thing that tells of a machine set back whole.

The machine cannot notice that it was set back together with its escrow; somebody who kept yesterday's head can.
docs/decisions/0012-the-head-of-the-ledger-is-published.md
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from mindstage.ledger.signed import HEAD, sign_json
from mindstage.vault.keys import instance_key
from mindstage.vault.marks import keystore_state


def signed_head() -> dict[str, Any]:
    """The head that was applied to the keys, so what it says is ended is ended; a number and a hash, about nobody."""
    state = keystore_state()
    head = {
        "format": HEAD,
        "instance": settings.MINDSTAGE.name,
        "day": state.slow_date.isoformat(),
        "length": state.ledger_length,
        "head": state.ledger_hash,
    }
    return sign_json(head, seed=instance_key("receipt"))
