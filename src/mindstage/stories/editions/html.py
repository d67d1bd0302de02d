"""A story as one HTML file that needs nothing else: no script, no picture, no address. And the same turns as XHTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from mindstage.stories.editions.opening import Opened, Spot, read_path
from mindstage.stories.models import Turn
from mindstage.ui import prose

STYLE = (
    "body{max-width:38em;margin:2em auto;padding:0 1em;font:1.1em/1.6 Georgia,serif;color:#222;background:#fdfbf7;"
    "overflow-wrap:anywhere}"
    "h1{line-height:1.2}.byline{font-style:italic}.mine{margin:1.5em 0;padding-left:1em;border-left:3px solid #b9a88a}"
    ".name{font-variant:small-caps;margin:0}.aside{font-style:italic}.link{text-decoration:underline}"
)
# Only for the page: a reader of books has its own night.
_DARK = "@media(prefers-color-scheme:dark){:root{color-scheme:dark}body{color:#e7e8e1;background:#0f1211}}"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
# An attribute's value holds no quotation mark: the sanitiser writes them as &quot;.
_BUTTON = re.compile(r'<button(?:\s+[\w-]+(?:="[^"]*")?)*\s*>')
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_html(story: Opened) -> Iterator[bytes]:
    """The path that is played, in the versions that are shown."""
    title = xml_text(story.title) or "Untitled"
    yield (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>'
        f'<title>{title}</title><style>{STYLE}{_DARK}</style></head>\n<body><h1 dir="auto">{title}</h1>\n'
    ).encode()
    if story.stage.byline:
        yield f'<p class="byline">{xml_text(story.stage.byline)}</p>\n'.encode()
    if story.row.head_id is not None:
        for spot in read_path(story.id, story.row.head_id):
            yield to_xhtml(story, spot).encode()
    yield b"</body></html>\n"


def to_xhtml(story: Opened, spot: Spot) -> str:
    """One turn, well-formed as XML too, in its own direction. Its HTML comes from the same sanitiser as the page's."""
    words = spot.shown.words
    body = xhtml(prose.render(prose.spoken(words) if spot.kind == Turn.Kind.SAY else words))
    if spot.kind in (Turn.Kind.OPENING, Turn.Kind.REPLY):
        return f'<section dir="auto">{body}</section>\n'
    name = "" if spot.kind == Turn.Kind.STORY else f'<p class="name">{xml_text(story.stage.persona)}</p>'
    aside = " aside" if spot.kind == Turn.Kind.OOC else ""
    return f'<section class="mine{aside}">{name}<div dir="auto">{body}</div></section>\n'


def xhtml(html: str) -> str:
    """The sanitiser's HTML as XML: void elements closed, no named space, links as plain words."""
    closed = html.replace("<br>", "<br/>").replace("<hr>", "<hr/>").replace("&nbsp;", "\u00a0")
    return clean(_BUTTON.sub('<span class="link">', closed).replace("</button>", "</span>"))


def xml_text(text: str) -> str:
    """Words on one line, escaped."""
    return escape(clean(" ".join(text.split())))


def clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
