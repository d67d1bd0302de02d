"""How a notice is sealed: its moment and its sentence, as JSON."""

from __future__ import annotations

import json
from datetime import datetime

from mindstage.accounts.models import Notice, User
from mindstage.kit import clock
from mindstage.vault.purposes import Purpose


def seal_notice(account: User, text: str) -> Notice:
    """A new notice, not saved yet. Raises KeyGone."""
    return Notice(account=account).seal(text=json.dumps({"at": clock.now().isoformat(), "text": text}))


def open_notice(row: Notice, purpose: Purpose) -> tuple[datetime, str]:
    """Its moment and its sentence. Raises KeyGone."""
    content = json.loads(row.open("text", purpose))
    return datetime.fromisoformat(content["at"]), content["text"]
