"""Behind a reverse proxy that speaks HTTPS: what it says is believed, and from nobody else."""

from __future__ import annotations

import http.client

import pytest

from system.program import Program, running_program

__all__ = ["running_program"]

pytestmark = [pytest.mark.system]
NAME = "stage.example.org"
BY_HTTPS = {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
ORIGIN = {"Origin": f"https://{NAME}", "Sec-Fetch-Site": "same-origin"}


def ask(program: Program, method: str, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
    connection.request(method, path, headers=headers)
    return connection.getresponse()


def offers_passkeys(program: Program, headers: dict[str, str]) -> bool:
    return b"Use a passkey" in ask(program, "GET", "/session/new/", headers).read()


def test_the_word_of_the_named_proxy_is_believed(running_program) -> None:  # type: ignore[no-untyped-def]
    """Cookies become Secure, passkeys are offered, forms and streams take the browser's own origin."""
    program = running_program(toml=f'proxy = "127.0.0.1"\nallowed_hosts = ["{NAME}"]\n')
    assert offers_passkeys(program, BY_HTTPS)
    assert not offers_passkeys(program, {"Host": NAME})
    challenge = ask(program, "POST", "/passkey/options/", BY_HTTPS | ORIGIN)
    assert challenge.status == 403  # by the form's token, which is missing
    path = "/stream/runs/00000000-0000-4000-8000-000000000000/stop"
    assert ask(program, "POST", path, BY_HTTPS | ORIGIN).status == 401
    assert ask(program, "POST", path, {"Host": NAME} | ORIGIN).status == 403
    assert ask(program, "GET", "/", BY_HTTPS | {"Host": "elsewhere.example"}).status == 400


def test_without_one_nobody_is_believed(running_program) -> None:  # type: ignore[no-untyped-def]
    """The same headers from anybody change nothing."""
    program = running_program(toml=f'allowed_hosts = ["{NAME}"]\n')
    assert not offers_passkeys(program, BY_HTTPS)
    path = "/stream/runs/00000000-0000-4000-8000-000000000000/stop"
    assert ask(program, "POST", path, BY_HTTPS | ORIGIN).status == 403
