"""Every address of the program, told apart: open to all, for whoever is signed in, or naming somebody's object.

The addresses are read out of the program, so that a new one fails a test until it stands on one of the lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

OPEN = {
    "home": "the landing page",
    "account_new": "sign up",
    "session_new": "log in",
    "session_end": "log out, which does nothing for a stranger",
    "second_factor": "the second step of a log-in: leads to the first without it",
    "recovery": "log in with a code off the sheet",
    "email_recovery": "a letter to an address, if it is somebody's",
    "email_recovery_code": "log in with the code of that letter",
    "passkey_options": "a challenge, which opens nothing",
    "passkey_answer": "log in by a passkey, or make an account with one",
    "owner": "the one-time link is its own key",
    "scenario": "what comes with the program",
    "asset": "styles and scripts",
    "theme": "a cookie of the browser's own",
    "models": "who narrates, and where",
    "policy": "what is done with people's data",
    "policy_version": "the same, an earlier or a coming version",
    "policy_changes": "what changed in it",
    "policy_difference": "the same for programs",
    "policy_feed": "the same for news readers",
    "receipt": "whoever has a claim code, without an account",
    "receipt_check": "whether a receipt is genuine",
    "receipt_offline": "the same as one file that needs nobody",
    "data_map": "the data map",
    "data_map_schema": "how the data map is written",
    "signing_key": "the public key that checks exports, receipts and reports of a restore",
    "transparency": "how old the oldest record of each kind is",
    "retention": "the same for programs",
    "ledger_head": "how far the list of endings goes",
    "gpc": "that Global Privacy Control is honoured",
}
"""Addresses that answer everybody -> why."""

OWN = {
    "account",
    "handle",
    "passphrase",
    "passphrase_removal",
    "sessions_end",
    "passkeys",
    "email",
    "email_code",
    "email_removal",
    "totp",
    "totp_removal",
    "recovery_codes",
    "recovery_codes_new",
    "proof",
    "installation",
    "characters",
    "character_new",
    "own_personas",
    "own_persona_new",
    "own_lorebooks",
    "own_lorebook_new",
    "own_scenarios",
    "own_scenario_new",
    "stories",
    "policy_notice",
    "consents",
    "consent",
    "exports",
    "imports",
    "your_data",
    "freeze",
    "freeze_end",
    "age_band",
    "erasures",
    "erasure_end",
    "trash_page",
    "trash_end",
}
"""Addresses for whoever is signed in, that name nobody's object."""

OBJECTS = {
    "session_one_end",
    "passkey_name",
    "passkey_removal",
    "character",
    "character_edit",
    "portrait",
    "picture",
    "story",
    "turns",
    "turn",
    "replies",
    "variants",
    "choice",
    "trash",
    "trash_undo",
    "turn_end",
    "story_trash",
    "story_names",
    "story_stage",
    "character_trash",
    "own_persona_edit",
    "own_persona_trash",
    "own_lorebook_edit",
    "own_lorebook_trash",
    "own_scenario_edit",
    "own_scenario_trash",
    "own_scenario",
    "own_lorebook_file",
    "story_keep",
    "story_keep_lore",
    "item_undo",
    "item_end",
    "branches",
    "branch",
    "story_branches",
    "draft",
    "context",
    "export_end",
}
"""Addresses that name an object of somebody: for all others there is nothing."""

STREAMS = {
    ("POST", "stories", "*", "turns"),
    ("POST", "stories", "*", "replies"),
    ("GET", "runs", "*"),
    ("POST", "runs", "*", "stop"),
}
"""The routes of the raw plane. Each names an object of somebody."""

PLANES = {"/healthz", "/stream/", "/stream/exports/"}
"""Addresses that the pages never see."""

SHUT = {401, 403, 404, 405}


def patterns() -> Iterator[tuple[str, str]]:
    """(name, route) of every page."""

    def walk(found: list[Any], before: str) -> Iterator[tuple[str, str]]:
        for one in found:
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, before + str(one.pattern))
            elif isinstance(one, URLPattern):
                yield one.name or "", f"/{before}{one.pattern}"

    return walk(get_resolver("mindstage.config.urls").url_patterns, "")
