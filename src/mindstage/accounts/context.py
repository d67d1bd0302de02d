from typing import Any
from django.http import HttpRequest


def who_is_here(request: HttpRequest) -> dict[str, Any]:
    return {"person": None}
