"""Which mail server this instance sends through, if any: one address in `mindstage.toml`."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from mindstage.config.configuration import ConfigurationMistake

SECONDS = 15
_BACKENDS = "django.core.mail.backends"
_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
MISTAKE = (
    "The setting mail is an address like smtp://name:password@mail.example:587 (STARTTLS), smtps://... (TLS at once), "
    "smtp+plain://localhost:25 (a server on this machine), or console: to see letters on the terminal."
)


def mailers(address: str) -> dict[str, dict[str, Any]]:
    """The framework's MAILERS: empty where no mail is sent. Raises ConfigurationMistake, which repeats no password."""
    if not address:
        return {}
    if address == "console:":
        return {"default": {"BACKEND": f"{_BACKENDS}.console.EmailBackend"}}
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise ConfigurationMistake(MISTAKE) from None
    if not parts.hostname:
        raise ConfigurationMistake(MISTAKE)
    options = {
        "host": parts.hostname,
        "port": port,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_tls": parts.scheme == "smtp",
        "use_ssl": parts.scheme == "smtps",
        "timeout": SECONDS,
    }
    return {"default": {"BACKEND": f"{_BACKENDS}.smtp.EmailBackend", "OPTIONS": options}}
