"""What every page sends along: it is nobody else's to keep, and it may use nothing of the device."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

NOT_ASKED_FOR = "camera=(), microphone=(), geolocation=(), usb=(), payment=(), interest-cohort=(), browsing-topics=()"


class PrivatePagesMiddleware:
    """Pages are not stored by browsers or proxies, so that log-out ends what the back button can show."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Permissions-Policy", NOT_ASKED_FOR)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response
