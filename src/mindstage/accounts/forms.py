"""The forms of the door and the account page. What is right is said by the deeds; a form carries it to the field."""

from __future__ import annotations

from typing import Any

from django import forms

from mindstage.accounts.models import AgeBand
from mindstage.accounts.passphrases import LONGEST
from mindstage.accounts.refused import Refused

UNDER_13 = "under_13"
_NEEDED = {"required": "Please fill this in."}


class DoorForm(forms.Form):
    """A form that can be told what a deed refused."""

    def refuse(self, refused: Refused) -> None:
        """Show a refusal beside the field that it is about."""
        self.add_error(refused.field if refused.field in self.fields else None, refused.sentence)


def _passphrase_field(kind: str, **more: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": kind})
    messages = _NEEDED | {"max_length": f"A passphrase has at most {LONGEST:,} characters."}
    return forms.CharField(max_length=LONGEST, strip=False, widget=widget, error_messages=messages, **more)


def _age_field() -> forms.ChoiceField:
    messages = {"required": "Please choose one.", "invalid_choice": "Please choose one of the three."}
    return forms.ChoiceField(choices=[(UNDER_13, "Under 13"), *AgeBand.choices], error_messages=messages)


class SignUpForm(DoorForm):
    """With a passphrase. With a passkey the form is sent by a script, and never arrives here."""

    handle = forms.CharField(max_length=200, error_messages=_NEEDED)
    key = forms.CharField(max_length=20, required=False)
    passphrase = _passphrase_field("new-password")
    age_band = _age_field()
    owner_link = forms.CharField(max_length=100, required=False, widget=forms.HiddenInput)
    next = forms.CharField(max_length=1_000, required=False, widget=forms.HiddenInput)


class SignInForm(DoorForm):
    handle = forms.CharField(max_length=200, error_messages=_NEEDED)
    passphrase = _passphrase_field("current-password")
    next = forms.CharField(max_length=1_000, required=False, widget=forms.HiddenInput)


def _code_field(label: str, **more: Any) -> forms.CharField:
    return forms.CharField(max_length=40, label=label, error_messages=_NEEDED, **more)


class CodeForm(DoorForm):
    """One code, out of an app, off a sheet or out of a letter."""

    code = _code_field("Code")


class ProofForm(DoorForm):
    """A passphrase or a code; which of the two is there depends on the account."""

    passphrase = _passphrase_field("current-password", required=False)
    code = _code_field("Code", required=False)
    next = forms.CharField(max_length=1_000, required=False, widget=forms.HiddenInput)


class HandleForm(DoorForm):
    handle = forms.CharField(max_length=200, error_messages=_NEEDED)


class AgeForm(DoorForm):
    age_band = _age_field()


class EmailForm(DoorForm):
    address = forms.CharField(max_length=300, label="E-mail address", error_messages=_NEEDED)


class RecoveryForm(DoorForm):
    handle = forms.CharField(max_length=200, error_messages=_NEEDED)
    code = _code_field("Recovery code")


class PassphraseForm(DoorForm):
    old = _passphrase_field("current-password", label="Present passphrase", required=False)
    new = _passphrase_field(
        "new-password", label="New passphrase", help_text="At least 12 characters; four or five words are good."
    )
