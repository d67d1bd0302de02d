"""How many tokens a text costs with a given narrator: exact where we hold its vocabulary, careful elsewhere."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final

from tokenizers import Tokenizer

from mindstage.gateway.embedded.tokenizer import UnknownVocabulary, load_tokenizer, tokens_before
from mindstage.gateway.routes import Route
from mindstage.prompts.inputs import Overheads
from mindstage.prompts.tokens import conservative

REMEMBERED: Final = 8_192
_CHATML_MARKS: Final = 4
_CHATML_END: Final = 2
_ROLES: Final = ("system", "user", "assistant")

# For a template that is not ChatML: the marks of Llama, Mistral, Gemma or Alpaca take 4 to 12 tokens a message, and
# some of these templates begin with a date or a line of their own.
UNKNOWN_TEMPLATE: Final = Overheads(system=16, person=16, narrator=16, reply=64)


@dataclass(frozen=True, slots=True)
class _File:
    """What is known of a model file. `begins`: tokens before the first message, None where the template is unknown."""

    count: "Remembering"
    begins: int | None


_files: dict[Path, _File] = {}
_building: Final = Lock()


def counter(route: Route) -> Callable[[str], int]:
    """Return a function from text to tokens. The first exact one reads the vocabulary: up to half a second."""
    if route.kind != "embedded" or route.path is None:
        return _careful
    return _file(route.path).count


def overheads(route: Route) -> Overheads:
    """Return what messages cost besides their texts, by the template that the model's file carries.

    In ChatML that is `<|im_start|>`, a role, a line break, `<|im_end|>`, a line break; the reply's own head lacks the
    last two. SmolLM2 writes "assistant" in two tokens and the other roles in one. Of another template only that much is
    known that it costs no more than `UNKNOWN_TEMPLATE`.
    """
    if route.kind != "embedded":
        return Overheads()
    begins = _file(route.path).begins if route.path else 0
    if begins is None:
        return UNKNOWN_TEMPLATE
    system, person, narrator = (_CHATML_MARKS + counter(route)(role) for role in _ROLES)
    return Overheads(system, person, narrator, reply=begins + narrator - _CHATML_END)


def _file(path: Path) -> _File:
    with _building:
        if path not in _files:
            _files.clear()  # one vocabulary at a time is enough, and it is the heaviest thing this room keeps
            try:
                count = exact_counter(path)
            except UnknownVocabulary:
                count = _careful
            _files[path] = _File(count, tokens_before(path))
        return _files[path]


def exact_counter(path: Path) -> "Remembering":
    """Return a counter with the vocabulary of a model file. Raises UnknownVocabulary."""
    return Remembering(partial(_count_exactly, load_tokenizer(path)))


def _count_exactly(tokenizer: Tokenizer, text: str) -> int:
    whole = text.encode("utf-8", "replace").decode()  # the library takes no half surrogate pairs
    return len(tokenizer.encode(whole, add_special_tokens=False).ids)


class Remembering:
    """A counter that remembers numbers by a hash of the text, never the text: a window repeats from turn to turn."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self._known: OrderedDict[bytes, int] = OrderedDict()
        self._lock = Lock()

    def __call__(self, text: str) -> int:
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            if (count := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return count
        count = self._count(text)
        with self._lock:
            self._known[key] = count
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return count


_careful: Final = Remembering(conservative)
