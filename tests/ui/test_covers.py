"""Covers and portraits are the same for ever: frozen from the first drawing of the recipe, in another language."""

from __future__ import annotations

import re
from hashlib import sha256
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mindstage.ui.covers import draw_cover
from mindstage.ui.dice import hash_name
from mindstage.ui.faces import draw_face
from mindstage.ui.palettes import PALETTES
from mindstage.ui.sets import SETS, arches, house, stairs

FROZEN = {
    "The Lamplighter of Vell": ("6f5888d452e2889d", "#f7e7c2", "0f43c47b9a336f80"),
    "Salt Year": ("98218dc6fcbce4ab", "#1b2b33", "540bd0cc876d309f"),
    "A Quiet Mutiny": ("d82364db74818aaa", "#33222f", "475123295f8dea59"),
    "Seven Doors to Winter": ("ef5c69d808916b42", "#fdeed6", "bddb00c36a3a8f5c"),
    "Night Train to Osmery": ("65627c012e9f598e", "#2b1d12", "cc2d2049722248ac"),
    "The Orchard Below": ("61922e0b0848f06f", "#f2edc4", "15adf6aa259d2835"),
    "Letters from the Ferry": ("0027a63a70d1ab74", "#f2ead3", "75bbce73aec51647"),
    "": ("a03e808ebe6d03d7", "#fdeed6", "848a9a6c7e490caf"),
    "é": ("15236bf80968ccbb", "#f2ead3", "4a4b44db6a903d1e"),
    "𝕏 and the 🜲 sea": ("f76691be340badad", "#33222f", "82c9d2e1006d2fbc"),
    "t0": ("153c0badbf76ef1f", "#f6ecd0", "dbe85c1807bf9f39"),
    "t1": ("40710fc003f90ac3", "#f6ecd0", "d5ae89c9577eec8e"),
    "t2": ("2f18969774aa7750", "#2b1d12", "cdd18844e97194bd"),
    "t3": ("586a634ef4bae659", "#f2edc4", "020b14decaad15ef"),
    "t5": ("4f26a8a62a857fac", "#f6ecd0", "1b253d9961e6eac4"),
    "t8": ("b01cde4492ebaf52", "#f7e7c2", "275f2f5232432a4e"),
    "t13": ("356013b8b16b1907", "#f2ead3", "4c1e7b6a88bc4283"),
    "t21": ("94af69d67a4e91b4", "#f6ecd0", "0dfbd747858eb0a3"),
    "t34": ("9a4b2a59b4c926d1", "#f2ead3", "45a8ae8467378f7a"),
    "t55": ("82e75f2098d2808a", "#1b2b33", "59267346a12361cc"),
    "t89": ("80a5ec0a03e65157", "#f7e7c2", "80b87293c6cd09d9"),
}
"""Name -> (start of the SHA-256 of its cover, ink of its title, start of the SHA-256 of its portrait)."""
FEW_DETAILS = (stairs, arches, house)
ALL_COVERS = "22541146cd634896e44b0aebc1234f56e06c58170a441bd943e546b587c4252a"
ALL_FACES = "b4ee6e3a38789f03d897b0022a36148d1bde0affe52c6d2045bafde6add3f072"


@pytest.mark.parametrize("name", FROZEN)
def test_the_recipe_never_changes(name: str) -> None:
    """The same name gives the same cover, ink and portrait, to the byte."""
    cover = draw_cover(name)
    drawn = (digest(cover.svg), PALETTES[cover.palette].title, digest(draw_face(name)))
    assert drawn == FROZEN[name]


def test_every_set_and_head_is_frozen() -> None:
    """Four hundred names, which use every set, palette and head, give the same bytes as ever."""
    names = [f"t{number}" for number in range(400)]
    assert sha256("".join(draw_cover(name).svg for name in names).encode()).hexdigest() == ALL_COVERS
    assert sha256("".join(map(draw_face, names)).encode()).hexdigest() == ALL_FACES


@given(st.text())
def test_a_drawing_is_nothing_but_shapes(name: str) -> None:
    """Whatever the name, a drawing is well-formed and has no style attribute, no script and no letter of the name."""
    for drawing in (draw_cover(name).svg, draw_face(name)):
        root = ElementTree.fromstring(drawing)
        assert {element.tag for element in root.iter()} <= {"svg", "rect", "circle", "path", "ellipse"}
        assert not any(
            attribute == "style" or attribute.startswith("on") for e in root.iter() for attribute in e.attrib
        )
        assert re.fullmatch(r"[\x20-\x7e]+", drawing)


@given(st.text(min_size=1), st.text(min_size=1))
@example("problems", "problems 202")
def test_names_differ(one: str, other: str) -> None:
    """Different names give different covers, but for the few details of stairs, arches and a house by day."""
    if draw_cover(one) == draw_cover(other) and one != other:
        assert set_of(one) is set_of(other)
        assert set_of(one) in FEW_DETAILS
        assert not has_stars(one)


def test_hardly_any_names_share_a_cover() -> None:
    """Of a thousand names at least nineteen in twenty have covers of their own, and all have faces of their own."""
    names = [f"t{number}" for number in range(1_000)]
    assert len({draw_cover(name).svg for name in names}) >= 950
    assert len({draw_face(name) for name in names}) == 1_000


def set_of(name: str) -> object:
    return SETS[(hash_name(name) >> 20) % 8]


def has_stars(name: str) -> bool:
    return int(PALETTES[draw_cover(name).palette].sky[1:3], 16) < 128


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
