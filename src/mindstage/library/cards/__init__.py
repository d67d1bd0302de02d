"""Character cards: pure reading, no Django, no network. `read_card` is the door."""

from mindstage.library.cards.card import Card, CardLore, Spec
from mindstage.library.cards.reading import read_card, reread_card
from mindstage.library.cards.refusal import CardRefused

__all__ = ["Card", "CardLore", "CardRefused", "Spec", "read_card", "reread_card"]
