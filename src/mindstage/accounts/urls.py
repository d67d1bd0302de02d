"""The pages of the door and of one's own account."""

from __future__ import annotations

from django.urls import path

from mindstage.accounts.views import (
    accounts,
    emails,
    handles,
    passkeys,
    passphrases,
    proofs,
    recoveries,
    recovery_codes,
    second_factors,
    sessions,
)

urlpatterns = [
    path("account/new/", accounts.create, name="account_new"),
    path("owner/<str:token>/", accounts.owner, name="owner"),
    path("account/", accounts.show, name="account"),
    path("account/handle/", handles.update, name="handle"),
    path("account/passphrase/", passphrases.update, name="passphrase"),
    path("account/passphrase/removal/", passphrases.destroy, name="passphrase_removal"),
    path("account/sessions/<uuid:session>/end/", sessions.destroy_one, name="session_one_end"),
    path("account/sessions/end/", sessions.destroy_others, name="sessions_end"),
    path("account/email/", emails.create, name="email"),
    path("account/email/code/", emails.verify, name="email_code"),
    path("account/email/removal/", emails.destroy, name="email_removal"),
    path("account/passkeys/", passkeys.index, name="passkeys"),
    path("account/passkeys/<uuid:passkey>/", passkeys.update, name="passkey_name"),
    path("account/passkeys/<uuid:passkey>/removal/", passkeys.destroy, name="passkey_removal"),
    path("passkey/options/", passkeys.options, name="passkey_options"),
    path("passkey/", passkeys.answer, name="passkey_answer"),
    path("account/codes/", second_factors.update, name="totp"),
    path("account/codes/removal/", second_factors.destroy, name="totp_removal"),
    path("account/recovery-codes/", recovery_codes.show, name="recovery_codes"),
    path("account/recovery-codes/new/", recovery_codes.create, name="recovery_codes_new"),
    path("session/new/", sessions.create, name="session_new"),
    path("session/code/", second_factors.create, name="second_factor"),
    path("session/proof/", proofs.create, name="proof"),
    path("session/recovery/", recoveries.create, name="recovery"),
    path("session/recovery/mail/", recoveries.ask_by_mail, name="email_recovery"),
    path("session/recovery/mail/code/", recoveries.enter_by_mail, name="email_recovery_code"),
    path("session/end/", sessions.destroy, name="session_end"),
]
