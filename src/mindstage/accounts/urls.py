"""The pages of the door and of one's own account."""

from __future__ import annotations

from django.urls import path

from mindstage.accounts.views import accounts, passphrases, sessions

urlpatterns = [
    path("account/new/", accounts.create, name="account_new"),
    path("owner/<str:token>/", accounts.owner, name="owner"),
    path("account/", accounts.show, name="account"),
    path("account/passphrase/", passphrases.update, name="passphrase"),
    path("account/sessions/<uuid:session>/end/", sessions.destroy_one, name="session_one_end"),
    path("account/sessions/end/", sessions.destroy_others, name="sessions_end"),
    path("session/new/", sessions.create, name="session_new"),
    path("session/end/", sessions.destroy, name="session_end"),
]
