"""The one form of this room."""

from __future__ import annotations

from django import forms

CHOOSE = "Choose a card first: a JSON file, or a PNG picture with the card inside."


class CardForm(forms.Form):
    """A card's file. An empty one passes, so that the reader of cards can say it."""

    card = forms.FileField(
        allow_empty_file=True, error_messages={"required": CHOOSE, "invalid": CHOOSE, "missing": CHOOSE}
    )
