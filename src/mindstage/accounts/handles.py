"""Handles: what one may look like, and the keyed tag by which it is found.

Two handles are the same when they differ only in case, width or composition. A handle is written in one alphabet, and
not with letters that all look like another's, so that nobody can sit beside somebody under the same face.
"""

from __future__ import annotations

import re
import unicodedata
import uuid

from mindstage.accounts.models import User
from mindstage.accounts.refused import Refused
from mindstage.vault.keys import instance_key
from mindstage.vault.sealing import tag

SHORTEST, LONGEST = 2, 24
_MARKS = r"0-9_.\-"
_ALPHABETS = (
    "a-zA-ZÀ-ÖØ-öø-ſƠơƯưȘ-țḀ-ỿ",  # Latin with the diacritics of living languages, without phonetic letters
    "Ά-ΏΑ-Ωά-ώἀ-ᾼῂ-ῼ",  # Greek
    "Ѐ-џҊ-ԓ",  # Cyrillic
)
_SHAPES = tuple(re.compile(rf"[0-9{letters}](?:[{_MARKS}{letters}]| (?! ))*(?<! )") for letters in _ALPHABETS)
_LOOKS_LATIN = frozenset("АВЕЅІЈКМНОРСТУХҮԌаеѕіјорсухүһӏԁΑΒΕΖΗΙΚΜΝΟΡΤΥΧικνουρχγ")
_MOST_TYPED = 200


def canon(handle: str) -> str:
    """The one spelling under which a handle is known. Twice, because a folded sequence may compose once more."""
    text = handle[:_MOST_TYPED]
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).casefold()
    return text.strip()


def handle_tag(handle: str) -> bytes:
    """HMAC-SHA256 of the handle under the instance's look-up key: 32 bytes."""
    return tag(instance_key("lookup"), b"handle|" + canon(handle).encode("utf-8", "surrogatepass"))


def tag_of_account(account: uuid.UUID) -> bytes | None:
    """The tag of an account whose row still stands."""
    found = User.objects.filter(pk=account).values_list("handle_tag", flat=True).first()
    return None if found is None else bytes(found)


def check_handle(handle: str) -> str:
    """The handle as it will be shown. Raises Refused."""
    shown = unicodedata.normalize("NFKC", handle[:_MOST_TYPED]).strip()
    if not SHORTEST <= len(shown) <= LONGEST or len(canon(shown)) > LONGEST * 2:
        raise Refused("handle", f"A handle has {SHORTEST} to {LONGEST} characters.")
    if not any(shape.fullmatch(shown) for shape in _SHAPES):
        raise Refused(
            "handle",
            "A handle is made of letters of one alphabet (Latin, Greek or Cyrillic), digits, single spaces and _ . - "
            "and begins with a letter or digit.",
        )
    letters = [letter for letter in shown if letter.isalpha() and letter > "ͯ" and letter < "Ḁ"]
    if letters and all(letter in _LOOKS_LATIN for letter in letters):
        raise Refused("handle", "That handle looks the same as one in Latin letters; please choose another spelling.")
    return shown
