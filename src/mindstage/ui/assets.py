"""What the browser needs besides the page: one joined stylesheet, a few small modules, the icon.

There is no build: the files are read when the first page is made, the CSS is joined in a fixed order and every name
gets a hash of its bytes, so that a browser may keep each for ever. Many small files for whoever writes them, one
request for whoever reads.
"""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

STYLES = (
    "ui/css/layers.css",
    "ui/css/reset.css",
    "ui/css/tokens.css",
    "ui/css/base.css",
    "ui/css/layout.css",
    "ui/css/chrome.css",
    "ui/css/buttons.css",
    "ui/css/forms.css",
    "ui/css/dialog.css",
    "ui/css/flash.css",
    "ui/css/meters.css",
    "ui/css/covers.css",
    "accounts/door.css",
    "rights/doc.css",
    "rights/held.css",
    "library/desk.css",
    "library/cards.css",
    "stories/play.css",
    "stories/turns.css",
    "stories/composer.css",
    "stories/panel.css",
    "stories/branches.css",
    "stories/narrow.css",
    "ui/css/utilities.css",
)
"""Order matters inside a layer: narrow.css rearranges what stands before it."""

MODULES = {
    "mindstage/app": "ui/js/app.js",
    "mindstage/say": "ui/js/say.js",
    "mindstage/swap": "ui/js/swap.js",
    "mindstage/keep": "ui/js/keep.js",
    "mindstage/local_time": "ui/js/local_time.js",
    "mindstage/passkey": "accounts/passkey.js",
    "mindstage/drop": "library/drop.js",
    "mindstage/openings": "library/openings.js",
    "mindstage/frames": "stories/frames.js",
    "mindstage/reply": "stories/reply.js",
    "mindstage/turn_stream": "stories/turn_stream.js",
    "mindstage/turn_tools": "stories/turn_tools.js",
    "mindstage/draft": "stories/draft.js",
    "mindstage/composer": "stories/composer.js",
    "mindstage/reader": "stories/reader.js",
}
"""Bare name in an import statement -> file."""

ICON = "ui/icon.svg"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file for the browser. `name` carries a hash of `body`; `packed` is the body under gzip."""

    name: str
    content_type: str
    body: bytes
    packed: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """All assets of one state of the files."""

    stylesheet: Asset
    modules: dict[str, Asset]
    icon: Asset

    def by_name(self) -> dict[str, Asset]:
        return {asset.name: asset for asset in (self.stylesheet, self.icon, *self.modules.values())}


def bundle() -> Bundle:
    """The assets; read afresh for every page while developing, once otherwise."""
    return _read() if settings.DEBUG else _read_once()


def find_asset(name: str) -> Asset | None:
    """The asset that a page linked as `name`, or None."""
    return _names().get(name) if not settings.DEBUG else _read().by_name().get(name)


def joined_css() -> bytes:
    """All styles in the order of `STYLES`, without comments and indentation."""
    text = "\n".join(_source(name).read_text("utf-8") for name in STYLES)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip()).encode()


@cache
def _read_once() -> Bundle:
    return _read()


@cache
def _names() -> dict[str, Asset]:
    return _read_once().by_name()


def _read() -> Bundle:
    return Bundle(
        stylesheet=_asset("mindstage.css", "text/css; charset=utf-8", joined_css()),
        modules={bare: _module(name) for bare, name in MODULES.items()},
        icon=_asset("icon.svg", "image/svg+xml", _source(ICON).read_bytes()),
    )


def _module(name: str) -> Asset:
    return _asset(Path(name).name, "text/javascript; charset=utf-8", _source(name).read_bytes())


def _asset(name: str, content_type: str, body: bytes) -> Asset:
    stem, _, ending = name.rpartition(".")
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(f"{stem}.{digest}.{ending}", content_type, body, gzip.compress(body, 9, mtime=0))


def _source(name: str) -> Path:
    """`stories/turns.css` stands in the static folder of the room it is named for."""
    room = name.partition("/")[0]
    return Path(__file__).parents[1] / room / "static" / name
