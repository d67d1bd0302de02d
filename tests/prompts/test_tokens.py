"""Counting without a tokenizer, beside a real one: SmolLM2's (49k entries, every digit alone)."""

from __future__ import annotations

import base64
import inspect
import random
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindstage.gateway.ai_models.catalogue import SMOLLM2, locate
from mindstage.gateway.tokens import exact_counter
from mindstage.library.starters import starters
from mindstage.prompts import assemble, macros, sections
from mindstage.prompts.tokens import SLACK, conservative

MODEL = locate(SMOLLM2, models_dir=Path("/nowhere"))
with_model = pytest.mark.skipif(MODEL is None, reason="SmolLM2 is not installed")

GERMAN = (
    "Der Schlüssel lag unter der Fußmatte, aber niemand öffnete die Tür. Als sie am Morgen erwachte, war das Haus "
    "still und der Garten voller Nebel; keiner hatte den Brief gelesen, den der alte Kapitän in der Küche vergaß."
)
FRENCH = (
    "Elle ouvrit la fenêtre et écouta la pluie tomber sur les toits de la ville. Il n'y a plus rien à faire, dit le "
    "vieux marin en repliant sa carte, et personne ne lui répondit avant que la lampe ne fût éteinte."
)
JAPANESE = "彼女は窓を開けて、雨の音を聞いた。「もう遅い」と老人は言い、ランプを消した。"
EMOJI = "🐉🔥 “Yes” 👩‍👩‍👧‍👦🏴‍☠️ … 🇫🇷!!"


@pytest.fixture(scope="module")
def true_count() -> Callable[[str], int]:
    assert MODEL
    return exact_counter(MODEL)


def of(alphabet: str, most: int) -> Callable[[random.Random], str]:
    return lambda source: "".join(source.choices(alphabet, k=source.randint(1, most)))


def words(alphabet: str) -> Callable[[random.Random], str]:
    word = of(alphabet, 9)
    return lambda source: " ".join(word(source) for _ in range(source.randint(1, 50)))


GIBBERISH = {
    "letters": of(string.ascii_lowercase, 300),
    "words": words(string.ascii_lowercase),
    "mixed case": words(string.ascii_letters),
    "capitals": words(string.ascii_uppercase),
    "printable": of(string.printable, 300),
    "any": of("".join(map(chr, range(1, 128))), 300),
    "letters and digits": of(string.ascii_lowercase + string.digits, 300),
    "base64": lambda source: base64.b64encode(source.randbytes(source.randint(1, 200))).decode(),
    "hexadecimal": lambda source: source.randbytes(source.randint(1, 100)).hex(),
    "base32": lambda source: base64.b32encode(source.randbytes(source.randint(1, 100))).decode(),
}


@with_model
@pytest.mark.parametrize("kind", GIBBERISH)
@settings(max_examples=150)
@given(seed=st.integers(0, 2**32))
def test_gibberish_costs_no_less_than_it_does(true_count: Callable[[str], int], kind: str, seed: int) -> None:
    """Random texts without accents, from a word to a paragraph: never below the true count."""
    text = GIBBERISH[kind](random.Random(seed))
    assert true_count(text) <= conservative(text)


@with_model
@pytest.mark.parametrize("text", [GERMAN, FRENCH, JAPANESE, EMOJI], ids=["German", "French", "Japanese", "emoji"])
def test_other_languages_cost_no_less_than_they_do(true_count: Callable[[str], int], text: str) -> None:
    """Whole and in every part from its beginning."""
    for end in range(1, len(text) + 1):
        assert true_count(text[:end]) <= conservative(text[:end])


@with_model
@pytest.mark.parametrize("module", [macros, assemble, sections])
def test_code_costs_no_less_than_it_does(true_count: Callable[[str], int], module: object) -> None:
    """A program's text, piece by piece."""
    source = inspect.getsource(module)  # type: ignore[arg-type]
    for start in range(0, len(source), 500):
        piece = source[start : start + 500]
        assert true_count(piece) <= conservative(piece)


@with_model
@pytest.mark.parametrize("starter", starters(), ids=lambda starter: starter.slug)
def test_prose_costs_at_most_half_as_much_again(true_count: Callable[[str], int], starter) -> None:  # type: ignore[no-untyped-def]
    """English stories: no paragraph below, and together not so far above that half of the context is lost."""
    texts = [starter.premise, *(member.description for member in starter.cast)]
    texts += [opening.text for opening in starter.openings] + [entry.content for entry in starter.lore]
    assert all(true_count(text) <= conservative(text) for text in texts)
    whole = "\n\n".join(texts)
    assert conservative(whole) <= 1.5 * true_count(whole)


FOREIGN = st.characters(
    min_codepoint=128, exclude_categories=("Zs", "Zl", "Zp", "Cc"), exclude_characters="\N{KELVIN SIGN}"
)


@given(st.text(min_size=1, alphabet=FOREIGN))
def test_other_scripts_cost_their_bytes(text: str) -> None:
    """No byte-level tokenizer needs more tokens than bytes. (A kelvin sign is a k, by its small letter.)"""
    assert conservative(text) == SLACK + len(text.encode("utf-8", "surrogatepass"))


@given(st.text(), st.text())
def test_more_text_never_costs_less(one: str, other: str) -> None:
    """Joining two texts costs no less than the larger of them."""
    assert conservative(f"{one}\n{other}") >= max(conservative(one), conservative(other))


def test_nothing_costs_nothing() -> None:
    """An empty text has no tokens, not even the slack."""
    assert conservative("") == 0


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ('Ilse Varga set the lantern down. "You are late," she said, "and you have brought the rain with you."', 28),
        ("Adaeze Holm, Brenda Oakshott and Marit Sool met at 23:45 on the 17th; nobody counted the 1,204 crates.", 43),
        ("The quartermaster's boots—wet, unlaced—stood by the stove; somewhere below, the bilge pump coughed…", 28),
        ("“Nothing,” said Xanthippe. ‘Nothing at all?’ She’d have laughed, if the ice hadn’t been so thin.", 30),
        ("STOP. Do NOT open the hatch! (It isn't locked.)\n\n* * *\n\nMorning came anyway.", 26),
        ("Der Schlüssel lag unter der Fußmatte, aber niemand öffnete die Tür.", 29),
        (JAPANESE[:17], 32),
    ],
)
def test_it_stays_above_a_real_tokenizer(text: str, true: int) -> None:
    """The same, from numbers that were written down: for whoever has no model at hand."""
    assert true <= conservative(text) <= 2 * true + SLACK
