"""What every page sends along: it is nobody else's to keep, and it may use nothing of the device."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from mindstage.ui.views import not_allowed

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


class NotAllowedMiddleware:
    """An address that is asked in a way it does not answer (a form's, opened from the history) says so on a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        page = not_allowed(request)
        page.headers["Allow"] = response.headers["Allow"]
        return page


class SecureCookiesMiddleware:
    """A cookie that came over TLS never travels without it. Stands outside of whatever sets one.

    The framework's own switch for its cookie is one for the whole instance, and would lock out the plain loopback.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response
