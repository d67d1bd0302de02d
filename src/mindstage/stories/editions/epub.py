"""A story as an EPUB 3.3 book: a container, a package, a table of contents, and its turns in chapters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import batched

from mindstage.kit.zip_writing import ZipWriter
from mindstage.stories.editions.html import STYLE, to_xhtml, xml_text
from mindstage.stories.editions.opening import Opened, Spot, read_path

TURNS_A_CHAPTER = 100

_CONTAINER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)
_XHTML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
    '<head><title>{title}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>'
    "<body>{body}</body></html>\n"
)
_PACKAGE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">'
    '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">urn:uuid:{ident}</dc:identifier>'
    "<dc:title>{title}</dc:title><dc:language>und</dc:language>"
    '<meta property="dcterms:modified">{modified}</meta></metadata>'
    '<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    '<item id="style" href="style.css" media-type="text/css"/>{items}</manifest>'
    '<spine><itemref idref="title"/>{spine}</spine></package>\n'
)


def to_epub(story: Opened) -> Iterator[bytes]:
    """The path that is played, in the versions that are shown. The first file is the type, stored (OCF 3.3, 4.2.3)."""
    book = ZipWriter()
    title = xml_text(story.title) or "Untitled"
    yield book.whole("mimetype", b"application/epub+zip", stored=True)
    yield book.whole("META-INF/container.xml", _CONTAINER.encode())
    yield book.whole("EPUB/style.css", STYLE.encode())
    byline = f'<p class="byline">{xml_text(story.stage.byline)}</p>' if story.stage.byline else ""
    yield book.whole("EPUB/title.xhtml", _page(title, f"<h1>{title}</h1>{byline}"))
    chapters: list[str] = []
    for number, spots in enumerate(batched(_spots(story), TURNS_A_CHAPTER), start=1):
        chapters.append(f"Turns {spots[0].position} to {spots[-1].position}")
        yield book.whole(f"EPUB/{_name(number)}.xhtml", _chapter(story, chapters[-1], spots))
    yield book.whole("EPUB/nav.xhtml", _contents(title, chapters))
    yield book.whole("EPUB/package.opf", _package(story, title, len(chapters)))
    yield book.close()


def _spots(story: Opened) -> Iterator[Spot]:
    return iter(()) if story.row.head_id is None else read_path(story.id, story.row.head_id)


def _name(number: int) -> str:
    return f"chapter-{number:05}"


def _chapter(story: Opened, heading: str, spots: Iterable[Spot]) -> bytes:
    return _page(heading, "".join(to_xhtml(story, spot) for spot in spots))


def _page(title: str, body: str) -> bytes:
    return _XHTML.format(title=title, body=body).encode()


def _contents(title: str, chapters: list[str]) -> bytes:
    links = "".join(
        f'<li><a href="{_name(number)}.xhtml">{heading}</a></li>' for number, heading in enumerate(chapters, start=1)
    )
    first = f'<li><a href="title.xhtml">{title}</a></li>'
    return _page(title, f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>{first}{links}</ol></nav>')


def _package(story: Opened, title: str, chapters: int) -> bytes:
    names = ["title", *(_name(number) for number in range(1, chapters + 1))]
    items = "".join(f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>' for name in names)
    spine = "".join(f'<itemref idref="{name}"/>' for name in names[1:])
    modified = story.modified.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = _PACKAGE.format(ident=story.id, title=title, modified=modified, items=items, spine=spine)
    return text.encode()
