"""Find out who asks. A request without a session cookie costs nothing, sets nothing and stores nothing."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from mindstage.accounts.cookies import take_cookie_back
from mindstage.accounts.sessions import Visitor, find_session


class SessionMiddleware:
    """Sets `request.visitor`; takes back a cookie whose session has ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.get_host()  # refuses a name that is not ours, before anything is looked up
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        visitor: Visitor | None = None
        request.visitor = visitor  # type: ignore[attr-defined]  # also for the page that reports a failed look-up
        if cookie:
            visitor = request.visitor = find_session(cookie)  # type: ignore[attr-defined]
        response = self.get_response(request)
        if cookie and visitor is None and settings.SESSION_COOKIE_NAME not in response.cookies:
            take_cookie_back(response)
        return response
