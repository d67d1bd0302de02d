"""The door and the account."""

from __future__ import annotations

from datetime import UTC, datetime

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

NOW = datetime(2026, 11, 20, 21, 6, tzinfo=UTC)


class SignUp(forms.Form):
    handle = forms.CharField()
    passphrase = forms.CharField()
    age_band = forms.ChoiceField(choices=[("under_13", ""), ("13_17", ""), ("18_plus", "")])


class Change(forms.Form):
    old = forms.CharField(label="Your passphrase now")
    new = forms.CharField(label="The new one", help_text="At least 12 characters.")


def account_new(request: HttpRequest) -> HttpResponse:
    form = SignUp(request.POST or None)
    if request.method == "POST" and not form.is_valid():
        form.add_error(None, "Nothing was stored.")
    return render(request, "accounts/sign_up.html", {"form": form, "next": ""})


def session_new(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/sign_in.html", {"form": SignUp(request.POST or None), "next": ""})


def account(request: HttpRequest) -> HttpResponse:
    sessions = [
        {"id": "a", "device": "Firefox on Linux", "began": NOW, "seen": NOW, "current": True},
        {"id": "b", "device": "Safari on iPhone", "began": NOW, "seen": NOW, "current": False},
    ]
    return render(
        request,
        "accounts/account.html",
        {
            "handle": "nora",
            "age_band_label": "18 or over",
            "sessions": sessions,
            "passphrase_form": Change(),
            "has_passphrase": True,
            "needs_old": True,
            "codes_left": 9,
            "passkeys": [{"name": "My phone"}],
            "notices": [{"text": "A passkey was added.", "made_on": NOW}],
            "email": "nora@example.net",
            "sends_mail": True,
            "notice": "The passphrase is changed.",
        },
    )


def recovery_codes(request: HttpRequest) -> HttpResponse:
    codes = [f"aaaa-bbbb-000{number}" for number in range(10)]
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "handle": "nora", "next": "/"})
