"""The one way in which a card is refused."""

from __future__ import annotations


class CardRefused(ValueError):
    """A file that is no card, or one that is not safe to read.

    `sentence` is for people: what is wrong, that nothing was stored, what to do. It holds nothing out of the file: the
    only names in it are field names of the card formats, which stand in this package.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def refusal(what: str, do: str = "Ask the card’s maker for another copy.") -> CardRefused:
    """The refusal that says `what` broke and what to `do`; both are plain sentences without a card's text."""
    return CardRefused(f"{what} Nothing was imported. {do}")
