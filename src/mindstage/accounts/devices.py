"""The coarse device class: the only thing that is kept of what a browser says about itself."""

from __future__ import annotations

PHONE, TABLET, COMPUTER = "phone", "tablet", "computer"


def device_class(user_agent: str) -> str:
    """`phone`, `tablet` or `computer`, from the words that browsers have agreed on. A guess, for recognition only."""
    text = user_agent[:500].lower()
    if "ipad" in text or "tablet" in text or ("android" in text and "mobile" not in text):
        return TABLET
    return PHONE if "mobi" in text or "iphone" in text else COMPUTER
