"""Story text becomes HTML that can do nothing, and loses none of its words."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.rules_inline import link

from mindstage.ui import prose
from mindstage.ui.prose import ATTRIBUTES, TAGS, plain, render, spoken

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](//evil.example/a)",
    "[x](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "![p](https://evil.example/pixel.png)",
    "![p][r]\n\n[r]: https://evil.example/pixel.png",
    '<svg onload="alert(1)"><script>1</script></svg>',
    "<iframe srcdoc='<script>1</script>'></iframe>",
    '<p style="position:fixed">x</p>',
    '<button type="submit" formaction="/x" class="btn" form="tools">x</button>',
    "<style>*{display:none}</style>",
    '<form action="/session/end/" method=post><input type=submit>',
    '[x](https://a.example/"onmouseover=alert(1)//)',
    "[x](https://a.example 'title\" onclick=\"1')",
    "```<script>\n</code></pre><script>1</script>\n```",
    "**<b onclick=1>x**</b>",
    "<!-- --><base href=//evil.example>",
    "&lt;script&gt; &#60;img src=x onerror=1&#62;",
    "[<img src=x>](https://a.example)",
    "> > > # <math><mtext></mtext><mglyph><style><img src onerror=1>",
)


class Seen(HTMLParser):
    """Every tag and attribute of a piece of HTML, as a parser reads it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def assert_harmless(html: str) -> None:
    for tag, attributes in Seen(html).tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | {"class"}
        if tag == "button":
            assert attributes["type"] == "button"
            assert attributes.get("class", "inert-link") == "inert-link"
            assert (attributes.get("data-href") or "https://").startswith(("https://", "http://"))
        elif "class" in attributes:
            assert attributes["class"] == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_words(text: str) -> None:
    """Nothing that runs, loads, submits or restyles comes through, alone or inside other text."""
    for around in ("{}", "He says *{}* now", "> {}", "- {}\n- x", "# {}"):
        assert_harmless(render(around.replace("{}", text)))


@given(
    st.lists(
        st.sampled_from([*HOSTILE, "*", "_", "[", "](", ")", "<", ">", "`", "\n", "\n\n", "&", "\x00", "word "]),
        max_size=12,
    )
)
def test_hostile_text_in_any_mixture(pieces: list[str]) -> None:
    """Mixtures of hostile pieces and loose marks are as harmless as each alone."""
    assert_harmless(render("".join(pieces)))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_is_harmless_and_plain_has_no_line_breaks(text: str) -> None:
    """Any text at all renders harmlessly, and its excerpt is one line."""
    assert_harmless(render(text))
    assert "\n" not in plain(text)


@given(st.lists(st.sampled_from(["[", "](", ")", "]", "`", "\\", "[x](y)", "[](<", "> 'a')"]), min_size=3))
def test_no_link_is_overlooked(pieces: list[str]) -> None:
    """Where none can end none is looked for: the same comes out as by looking everywhere."""
    everywhere, text = prose._make_parser(), "".join(pieces)
    everywhere.inline.ruler.at("link", link)
    assert prose._parser.render(text) == everywhere.render(text)


def test_no_link_is_looked_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of nothing but brackets is read once, not once more from each of them."""
    asked: list[object] = []
    for rule in ("link", "image"):
        monkeypatch.setattr(prose, rule, lambda *given: bool(asked.append(given)))
    for text in ("[" * 300, "![" * 300, "[x] " * 300, "](" + "[x] " * 300):
        render(text)
    assert asked == []


def test_writing_as_storytellers_do() -> None:
    """Emphasis, breaks, scene breaks, quotes and lists are typeset; indented paragraphs stay paragraphs."""
    html = render("*She looks up.* “Well?”\nA pause.\n***\n    Later, **nobody** spoke.\n\n> A letter.\n\n# Part two")
    assert "<em>She looks up.</em> “Well?”<br>" in html
    assert "<hr>" in html
    assert "<pre>" not in html
    assert "<strong>nobody</strong>" in html
    assert "<blockquote>" in html
    assert "<h3>Part two</h3>" in html


def test_a_line_under_a_sentence_is_a_scene_break() -> None:
    """Three hyphens under a sentence do not turn it into a heading."""
    assert render("The door closes.\n---\nMorning.") == "<p>The door closes.</p>\n<hr>\n<p>Morning.</p>\n"


def test_bracketed_asides_do_not_vanish() -> None:
    """What looks like a link definition is kept as words."""
    assert "[note]: he lies" in render("[note]: he lies")


def test_a_link_is_a_button_with_its_address() -> None:
    """A link leads nowhere by itself; its address is kept for the second click."""
    html = render("See [the *map*](https://maps.example/?a=1&b=2).")
    button = next(attributes for tag, attributes in Seen(html).tags if tag == "button")
    assert button == {"type": "button", "class": "inert-link", "data-href": "https://maps.example/?a=1&b=2"}
    assert "<em>map</em>" in html


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("![Hedda *at* the gate](https://a.example/h.png)", ["Picture: Hedda at the gate"]),
        ("![](https://a.example/h.png)", ["Picture"]),
        ("[](https://a.example/x)", ["a.example"]),
        ("[ ](https://a.example/x)", ["a.example"]),
        ("[](x)", ["Link"]),
        ("[![at](https://b.example/h.png)](https://a.example)", ["Picture: at"]),
        ("[one](https://a.example)![](https://a.example)", ["one", "Picture"]),
    ],
)
def test_no_button_of_a_story_is_without_words(text: str, words: list[str]) -> None:
    """A picture, as many cards hold, or a link without a text is a button that says what it is, and can be seen."""
    html = render(text)
    assert [re.sub(r"\s+", " ", said).strip() for said in re.findall(r"<button[^>]*>(.*?)</button>", html)] == words
    assert "!" not in html
    assert "a.example" in html or text == "[](x)"
    assert plain(text).replace(" ", "") == "".join(words).replace(" ", "")


def test_plain_is_the_words() -> None:
    """An excerpt has the words without marks."""
    assert (
        plain("*Hi* “you”\nthere\n\n# Part `two`\n\n- one\n- [two](https://x.example)")
        == "Hi “you” there Part two one two"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("And now?", "“And now?”"),
        ("“Yes.”", "“Yes.”"),
        ('"Yes," she says', '"Yes," she says'),
        (" ", " "),
        ("—no", "—no"),
    ],
)
def test_speech_gets_quotation_marks_once(text: str, shown: str) -> None:
    """Speech is quoted unless its writer has done so."""
    assert spoken(text) == shown
