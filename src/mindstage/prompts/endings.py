"""Where a reply may end, so that a limit of tokens does not cut it off in mid-sentence."""

from __future__ import annotations

CHARACTERS_A_TOKEN = 3.4
"""English prose has 4.2 with the vocabularies measured; a fifth less leaves room for a last sentence."""

_CLOSERS = "\"”’»'*_)"
_STOPS = ".!?…"


def long_enough(reply_tokens: int) -> int:
    """How many characters a reply may have before the next end of a sentence is taken as its end."""
    return int(reply_tokens * CHARACTERS_A_TOKEN)


def ends_sentence(text: str) -> bool:
    """Whether the text stops at the end of a sentence, with nothing that was opened in its last paragraph left open."""
    paragraph = text.rpartition("\n")[2].rstrip()
    if not paragraph.rstrip(_CLOSERS).endswith(tuple(_STOPS)):
        return False
    return paragraph.count("“") <= paragraph.count("”") and paragraph.count('"') % 2 == 0
