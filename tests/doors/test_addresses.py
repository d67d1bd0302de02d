"""A new address fails here until somebody has said whom it opens to."""

from __future__ import annotations

import ast
import inspect
import textwrap

from doors.addresses import OBJECTS, OPEN, OWN, PLANES, STREAMS, patterns
from mindstage.config import planes
from mindstage.stories.endpoint import StreamPlane


def test_every_address_is_told_apart() -> None:
    """A new page fails here until it is on one of the three lists, and no list names a page that is gone."""
    names = [name for name, _ in patterns()]
    assert "" not in names
    assert len(names) == len(set(names))
    assert set(names) == OPEN.keys() | OWN | OBJECTS
    assert not OPEN.keys() & OWN
    assert not (OPEN.keys() | OWN) & OBJECTS
    for name, route in patterns():
        assert ("<uuid:" in route) == (name in OBJECTS), f"{name}: whatever names an object belongs to somebody"


def test_every_route_of_the_raw_plane_is_told_apart() -> None:
    """The same for what no page answers: the cases of the raw plane, and the paths that the planes know."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(StreamPlane._answer)))
    cases = [node.pattern for node in ast.walk(tree) if isinstance(node, ast.match_case)]
    routes = {
        tuple(str(part.value.value) if isinstance(part, ast.MatchValue) else "*" for part in case.patterns)  # type: ignore[attr-defined]
        for case in cases
        if isinstance(case, ast.MatchSequence)
    }
    assert routes == STREAMS
    assert len(cases) == len(STREAMS) + 1  # the rest: there is nothing
    literals = {
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(planes.Application)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/")
    }
    assert literals == PLANES
