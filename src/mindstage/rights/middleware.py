"""Global Privacy Control: a browser that sends `Sec-GPC: 1` has said no for the person who uses it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from mindstage.accounts.access import visitor_of
from mindstage.rights.consents import honour_signal


def sends_signal(request: HttpRequest) -> bool:
    """Whether this request carries the signal."""
    return request.headers.get("Sec-GPC") == "1"


class GlobalPrivacyControlMiddleware:
    """Takes back every yes that the signal overrules, before the page is made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if sends_signal(request) and (visitor := visitor_of(request)):
            honour_signal(visitor.account_id)
        return self.get_response(request)
