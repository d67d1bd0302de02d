"""Template tags of every page: `{% load ui %}`."""

import json
import unicodedata
from datetime import datetime

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from mindstage.ui.assets import bundle
from mindstage.ui.covers import draw_cover
from mindstage.ui.faces import draw_face

register = template.Library()

WITH_EVERY_PAGE = ("mindstage/app", "mindstage/swap", "mindstage/say", "mindstage/local_time")


def where_assets_lie() -> str:
    """The address of an asset without its name, which needs no quoting: a page links thirty, and asks once for all."""
    return reverse("asset", args=["-"]).removesuffix("-")


@register.simple_tag
def stylesheet() -> SafeString:
    """The one stylesheet and the icon."""
    assets, root = bundle(), where_assets_lie()
    return format_html(
        '<link rel="stylesheet" href="{}"><link rel="icon" href="{}" type="image/svg+xml">',
        root + assets.stylesheet.name,
        root + assets.icon.name,
    )


@register.simple_tag(takes_context=True)
def modules(context: template.Context, *names: str) -> SafeString:
    """The import map, and the modules `names` beside those of every page: fetched early, run when the page is there."""
    # The nonce is lazy and counts as false until it is written, so `or ""` would lose it.
    nonce, root = str(context.get("csp_nonce", "")), where_assets_lie()
    addresses = {bare: root + asset.name for bare, asset in bundle().modules.items()}
    imports = json.dumps({"imports": addresses})
    wanted = [*WITH_EVERY_PAGE, *(f"mindstage/{name}" for name in names)]
    preloads = format_html_join(
        "", '<link rel="modulepreload" href="{}" nonce="{}">', ((addresses[bare], nonce) for bare in wanted)
    )
    entries = format_html_join(
        "",
        '<script type="module" src="{}" nonce="{}"></script>',
        ((addresses[bare], nonce) for bare in ("mindstage/app", *wanted[len(WITH_EVERY_PAGE) :])),
    )
    # The map holds only our own names and paths, so it needs no escaping; `</` cannot occur.
    import_map = format_html('<script type="importmap" nonce="{}">{}</script>', nonce, mark_safe(imports))  # noqa: S308
    return import_map + preloads + entries


@register.simple_tag
def icon(name: str) -> SafeString:
    """A line drawing out of ui/_icons.html, for use beside words (hidden from screen readers)."""
    return format_html('<svg class="ico" viewBox="0 0 24 24" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag
def cover(title: str, byline: str = "", href: str = "", size: str = "", titled: bool = True) -> SafeString:
    """The drawn cover of `title`, with its title as real text; a link when `href` is given."""
    drawn = draw_cover(title)
    words = SafeString("")
    if titled:
        by = format_html(' <span class="cover-by">{}</span>', byline) if byline else SafeString("")
        words = format_html('<span class="cover-title">{}{}</span>', title, by)
    classes = f"cover cover--p{drawn.palette} {size}".strip()
    picture = mark_safe(drawn.svg)  # noqa: S308  drawn from numbers and constants alone
    if href:
        name = SafeString("") if titled else format_html(' aria-label="{}"', title)
        return format_html('<a class="{}" href="{}"{}>{}{}</a>', classes, href, name, picture, words)
    return format_html('<span class="{}">{}{}</span>', classes, picture, words)


@register.simple_tag
def cover_picture(title: str) -> SafeString:
    """The drawing of a cover without its frame."""
    return mark_safe(draw_cover(title).svg)  # noqa: S308  drawn from numbers and constants alone


@register.simple_tag
def face(name: str, size: str = "") -> SafeString:
    """The drawn portrait for `name`."""
    picture = mark_safe(draw_face(name))  # noqa: S308  drawn from numbers and constants alone
    return format_html('<span class="{}">{}</span>', f"face {size}".strip(), picture)


@register.simple_tag
def local_time(moment: datetime, style: str = "day") -> SafeString:
    """A moment that the browser rewrites in the reader's own zone; `style` is day, time or date."""
    day = f"{moment.day} {moment:%B}"
    shown = {"time": f"{moment:%H:%M} UTC", "date": f"{day} {moment.year}"}.get(style, f"on {day}")
    return format_html(
        '<local-time data-style="{}"><time datetime="{}">{}</time></local-time>', style, moment.isoformat(), shown
    )


@register.filter
def begins_with_letter(text: str) -> bool:
    """Whether a text can open with a large initial: scripts without capitals join their letters or stand in squares."""
    first = next((sign for sign in text if unicodedata.category(sign)[0] not in "PZC"), "")
    return first.lower() != first.upper()


@register.filter
def share_of_hundred(share: float | None) -> str:
    """0.256 -> 25.6, for the width of a bar."""
    return f"{100 * (share or 0):.2f}"


@register.filter
def running_sum(parts: list[dict[str, float]]) -> list[tuple[dict[str, float], float]]:
    """Each part of a meter with the width that stands before it, in percent."""
    before, placed = 0.0, []
    for part in parts:
        share = part["share"] if isinstance(part, dict) else float(getattr(part, "share", 0))
        placed.append((part, round(before, 2)))
        before += 100 * share
    return placed


@register.filter
def thousands(count: int) -> str:
    """4096 -> 4,096."""
    return f"{count or 0:,}"
