"""What a person is told when a deed is not done."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was changed. `field` names the form field it is about ("" for the whole form), `sentence` says why."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(field)
        self.field = field
        self.sentence = sentence
