"""One stylesheet, few modules, names that change with their bytes."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.test import Client

from mindstage.ui import assets
from ui import gallery

SOURCE = Path(assets.__file__).parents[1]


def test_every_stylesheet_is_joined() -> None:
    """No CSS file of any room is forgotten in the list, and none in the list is missing."""
    there = {str(path).rpartition("/static/")[2] for path in SOURCE.glob("*/static/**/*.css")}
    assert there == set(assets.STYLES)


def test_every_module_has_a_name() -> None:
    """Each script can be imported by its bare name, and imports only bare names."""
    scripts = {str(path).rpartition("/static/")[2]: path for path in SOURCE.glob("*/static/**/*.js")}
    assert set(scripts) == set(assets.MODULES.values())
    for path in scripts.values():
        for name in re.findall(r"^import .*?\"(.+?)\";$", path.read_text(), flags=re.MULTILINE):
            assert name in assets.MODULES, f"{path.name} imports {name}"


def test_sizes_feel_right() -> None:
    """Scripts end before 180 lines and stylesheets before 250: past that a file wants to be two."""
    for path in SOURCE.glob("*/static/**/*.*"):
        if path.suffix in (".js", ".css"):
            assert len(path.read_text().splitlines()) < (180 if path.suffix == ".js" else 250), path.name


def test_nothing_needs_a_loose_policy() -> None:
    """No template has a style attribute, an inline script or an event attribute."""
    for path in SOURCE.glob("*/templates/**/*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle=|\son[a-z]+=|<script|<style|javascript:", text), path.name


def test_an_asset_is_kept_for_ever_under_its_hash(in_gallery: gallery.Stage) -> None:
    """The stylesheet comes packed and immutable; another hash is not there."""
    name = assets.bundle().stylesheet.name
    answer = Client().get(f"/static/{name}", headers={"accept-encoding": "gzip"})
    assert gzip.decompress(answer.content) == assets.joined_css()
    assert "immutable" in answer["Cache-Control"]
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert Client().get(f"/static/{name}").content == assets.joined_css()
    assert Client().get("/static/mindstage.000000000000.css").status_code == 404


def test_layers_come_first() -> None:
    """The order of layers is declared before any rule."""
    assert assets.joined_css().startswith(b"@layer reset, tokens, base, layout, components, screens, utilities;")


@pytest.mark.parametrize("path", ["/", "/account/new/", "/scenarios/lamp/", f"/stories/{gallery.STORY}/", "/models/"])
def test_pages_carry_the_nonce_and_no_inline_code(in_gallery: gallery.Stage, path: str) -> None:
    """Every script tag of a page has the nonce of its policy."""
    answer = Client().get(path)
    nonce = re.search(r"'nonce-([^']+)'", answer["Content-Security-Policy"])
    assert nonce is not None
    scripts = re.findall(r"<script[^>]*>", answer.content.decode())
    assert scripts
    assert all(f'nonce="{nonce[1]}"' in script for script in scripts)
    assert " style=" not in answer.content.decode()


def test_what_scrolls_under_a_mask_has_a_ground() -> None:
    """Without one Chromium leaves lines that were scrolled away standing between those that are read."""
    rules = re.findall(r"\{([^{}]*)\}", assets.joined_css().decode())
    masked = [rule for rule in rules if "mask-image" in rule and re.search(r"overflow(-y)?: auto", rule)]
    assert masked
    assert [rule for rule in masked if "background:" not in rule] == []
