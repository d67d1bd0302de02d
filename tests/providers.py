"""Narrators elsewhere, for tests that talk to none."""

from __future__ import annotations

from mindstage.gateway.routes import Route


def remote(*, provider: str = "faraway", retains: str = "30 days", trains: str = "no", place: str = "Finland") -> Route:
    """A route that leaves this machine. Nobody listens at its address."""
    return Route(
        provider_id=provider,
        kind="openai",
        model="teller-7b",
        title="teller-7b",
        place=place,
        leaves=True,
        context=4_096,
        reply=300,
        dialect="chat",
        base_url="http://127.0.0.1:9/v1",
        retains=retains,
        trains=trains,
    )
