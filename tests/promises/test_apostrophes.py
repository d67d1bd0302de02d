"""Every page speaks with the apostrophe of print. What goes to a terminal or into a signed paper has the keyboard's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "mindstage"
ROOMS = ("rights", "stories", "library", "gateway", "accounts", "streaming", "prompts", "ui")
"""Those that speak to people on pages."""
STRAIGHT = re.compile(r"[A-Za-z]'[a-z]|s' ")
ELSEWHERE = {
    ("rights/receipts.py", "SAYS"): "stands in a receipt, which is made again byte for byte",
    ("rights/verifying.py", "way_to_owner"): "for whoever writes a new model",
}
"""(file, the name at its top level) -> why a straight one stands there."""
COMMENT = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}|{%.*?%}|{{.*?}}|<[^>]*>", re.DOTALL)


def sentences(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every string that is no docstring, with the name at the top level in which it stands."""
    for top in tree.body:
        targets = [top.target] if isinstance(top, ast.AnnAssign) else getattr(top, "targets", [])
        names = [getattr(target, "id", "") for target in targets]
        name = getattr(top, "name", names[0] if names else "")
        bare = {id(one.value) for one in ast.walk(top) if isinstance(one, ast.Expr)}
        for one in ast.walk(top):
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in bare:
                yield name, one.value


@pytest.mark.parametrize("room", ROOMS)
def test_no_sentence_of_a_page_has_a_straight_apostrophe(room: str) -> None:
    """In the program's words, and in its templates."""
    found = []
    for path in sorted((PACKAGE / room).rglob("*.py")):
        file = str(path.relative_to(PACKAGE))
        found += [
            (file, text)
            for name, text in sentences(ast.parse(path.read_text()))
            if STRAIGHT.search(text) and (file, name) not in ELSEWHERE
        ]
    for path in sorted((PACKAGE / room).rglob("*.html")):
        found += [(path.name, line) for line in COMMENT.sub("", path.read_text()).splitlines() if STRAIGHT.search(line)]
    assert found == []
