"""How often something may be tried: counted per minute, summed over a quarter of an hour.

The counters live in the cache of this process for as long as they count, under keyed tags: neither a handle nor an
address can be read from them.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from django.core.cache import cache

from mindstage.kit import clock
from mindstage.vault.keys import instance_key
from mindstage.vault.sealing import tag

MINUTES = 15


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries of a kind within a quarter of an hour."""

    name: str
    most: int


PASSPHRASES_OF_A_HANDLE = Limit("handle", 10)
PASSPHRASES_OF_A_NETWORK = Limit("network", 60)
SIGN_UPS_OF_A_NETWORK = Limit("sign-up", 60)
CODES_OF_A_HANDLE = Limit("code", 10)
CODES_OF_A_NETWORK = Limit("codes", 60)
PASSKEYS_OF_A_NETWORK = Limit("passkey", 60)
LETTERS_OF_A_NETWORK = Limit("letters", 10)
LETTERS_TO_AN_ADDRESS = Limit("letter", 3)
TAKE_BACKS = Limit("take-back", 60)
"""Each is an entry of the ledger, which is never shortened: nobody makes it grow by putting a thing to and fro."""
YESES = Limit("yes", 30)
"""A no is an entry of the ledger and is never refused; there are no more of them than of these."""


class TooManyTries(Exception):
    """A limit is reached. `retry_after`: seconds until the next try is counted again."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after

    @property
    def sentence(self) -> str:
        minutes = math.ceil(self.retry_after / 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        return f"There were too many tries, so this one was not looked at; try again in {wait}."


def count_try(limit: Limit, about: bytes) -> None:
    """Count one try, before it is looked at, so that tries at the same moment count too. Raises TooManyTries."""
    now = clock.timestamp()
    keys = _keys(limit, about, int(now // 60))
    _add(keys[-1], 1)
    counts = cache.get_many(keys)
    if sum(counts.values()) > limit.most:
        _add(keys[-1], -1)
        raise TooManyTries(_wait([counts.get(key, 0) for key in keys], limit, now))


def count_code(handle_tag: bytes, network: bytes) -> None:
    """Count one try of a one-time or recovery code, for its handle and its network. Raises TooManyTries."""
    if network:
        count_try(CODES_OF_A_NETWORK, network)
    count_try(CODES_OF_A_HANDLE, handle_tag)


def count_letter(address_tag: bytes, network: bytes) -> None:
    """Count one letter, for its address and the network that asks for it. Raises TooManyTries."""
    count_try(LETTERS_OF_A_NETWORK, network)
    count_try(LETTERS_TO_AN_ADDRESS, address_tag)


def forget_tries(limit: Limit, about: bytes) -> None:
    """Begin to count anew: the right passphrase was given."""
    cache.delete_many(_keys(limit, about, int(clock.timestamp() // 60)))


def network_of(address: str) -> bytes:
    """A pseudonym of a client's network for today: a keyed tag of its /24 or /48. The address goes no further."""
    try:
        found = ip_address(address.partition("%")[0])
        found = getattr(found, "ipv4_mapped", None) or found
        prefix = str(ip_network((found, 24 if found.version == 4 else 48), strict=False))
    except ValueError:
        prefix = "unknown"
    return tag(instance_key("lookup"), f"network|{clock.today()}|{prefix}".encode())[:16]


def _add(key: str, number: int) -> None:
    cache.add(key, 0, MINUTES * 60)
    with suppress(ValueError):  # dropped by a full cache between the two lines
        cache.incr(key, number)


def _keys(limit: Limit, about: bytes, minute: int) -> list[str]:
    key = instance_key("lookup")
    return [
        tag(key, b"tries|%s|%d|" % (limit.name.encode(), one) + about).hex()
        for one in range(minute - MINUTES + 1, minute + 1)
    ]


def _wait(counts: list[int], limit: Limit, now: float) -> int:
    """Seconds until enough of the oldest minutes have left the window for one more try. The last one is this try."""
    left = sum(counts) - 1
    for age, count in enumerate(counts):
        left -= count
        if left < limit.most:
            return max(1, math.ceil((now // 60 + age + 1) * 60 - now))
    return MINUTES * 60
