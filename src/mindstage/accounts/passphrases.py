"""Passphrases: what a good one is, and the slow check of it that is kept.

Long, not complicated: NIST SP 800-63B, section 5.1.1.2 (length, a list of common ones, no composition rules).
"""

from __future__ import annotations

import threading
import unicodedata

from django.contrib.auth.hashers import check_password, make_password

from mindstage.accounts.handles import canon
from mindstage.accounts.refused import Refused

SHORTEST, LONGEST = 12, 1_000
_two_at_once = threading.BoundedSemaphore(2)
"""Each run of Argon2id takes 100 MiB while it lasts: many log-ins at once wait for each other, not for memory."""
# The most common ones that are long enough to pass, folded, with spaces and marks left out.
_COMMON = """
123456789012 1234567890123 1234567890ab 123456123456 123123123123 112233445566 121212121212 098765432100
password1234 password12345 password123456 passwordpassword mypassword123 password2024 password2025 password2026
qwertyuiop12 qwertyuiop123 qwertyuiopas qwertyuiopasdf qwertyqwerty qwerty123456 qwerty1234567 1qaz2wsx3edc
1q2w3e4r5t6y 1q2w3e4r5t6y7u qazwsxedcrfv asdfghjkl123 zaq12wsxcde3 abcdefghijkl abcdefghijklm abcdefg12345
abc123abc123 iloveyou1234 iloveyouforever letmeinletmein letmein12345 administrator administrator1 admin1234567
welcome12345 welcometothejungle changeme1234 trustno1trustno1 correcthorsebatterystaple monkeymonkey
sunshine1234 princess1234 superman1234 football1234 dragondragon masterofpuppets starwars1234 pokemon12345
mypassphrase thisismypassword thisisapassword passphrase12 passphrase123 mindstagemindstage mindstage123
"""
COMMON = frozenset(_COMMON.split())


def check_passphrase(passphrase: str, *, handle: str, field: str = "passphrase") -> None:
    """Raises Refused when a passphrase is too short, too long or easily guessed."""
    text = _normal(passphrase)
    if min(len(text), len(passphrase)) < SHORTEST:  # one typed sign may stand for eighteen (U+FDFA), and is one guess
        raise Refused(field, f"A passphrase has at least {SHORTEST} characters; four or five words are good.")
    if len(text) > LONGEST:
        raise Refused(field, f"A passphrase has at most {LONGEST:,} characters.")
    folded = "".join(letter for letter in text.casefold() if letter.isalnum())
    name = "".join(letter for letter in canon(handle) if letter.isalnum())
    if name and not folded.replace(name, ""):
        raise Refused(field, "The passphrase is only your handle, which others may know; please choose other words.")
    if len(set(text)) == 1:
        raise Refused(field, "One character over and over is guessed at once; please choose a few words.")
    if folded in COMMON:
        raise Refused(field, "That passphrase is among the first that are tried; please choose other words.")


def hash_passphrase(passphrase: str) -> str:
    """The Argon2id check of a passphrase, as it is kept. Slow on purpose."""
    with _two_at_once:
        return make_password(_normal(passphrase))


def matches(passphrase: str, kept: str | None) -> bool:
    """Whether a passphrase belongs to the check that is kept. Costs the same when there is none."""
    if len(passphrase) > LONGEST:
        passphrase = ""
    if kept is None:
        hash_passphrase(passphrase)
        return False
    with _two_at_once:
        return check_password(_normal(passphrase), kept)


def _normal(passphrase: str) -> str:
    """One spelling for what two keyboards send differently."""
    return unicodedata.normalize("NFKC", passphrase[: LONGEST + 1])
