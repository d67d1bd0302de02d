"""How the embedded model cuts text into tokens, rebuilt from the vocabulary in its own file."""

from pathlib import Path
from typing import Final

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from mindstage.gateway.embedded.gguf import NotGguf, read_metadata

_MODEL: Final = "tokenizer.ggml.model"
_RULE: Final = "tokenizer.ggml.pre"
_TOKENS: Final = "tokenizer.ggml.tokens"
_MERGES: Final = "tokenizer.ggml.merges"
_TEMPLATE: Final = "tokenizer.chat_template"
_BEGINS: Final = "tokenizer.ggml.add_bos_token"
_CHATML: Final = ("<|im_start|>", "<|im_end|>")

# The word rule that Qwen2 publishes with its tokenizer: contractions, runs of letters, single digits, marks, space.
_QWEN2: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


class UnknownVocabulary(Exception):
    """A vocabulary whose cutting rule we do not know; counting falls back to a careful guess."""


def load_tokenizer(path: Path) -> Tokenizer:
    """Build the tokenizer of a GGUF file, without special tokens. Raises UnknownVocabulary."""
    try:
        said = read_metadata(path, keys=(_MODEL, _RULE, _TOKENS, _MERGES))
    except NotGguf:
        raise UnknownVocabulary from None
    if said.get(_MODEL) != "gpt2" or not said.get(_TOKENS) or not said.get(_MERGES):
        raise UnknownVocabulary
    try:
        vocabulary = {str(token): number for number, token in enumerate(said[_TOKENS])}
        merges = [(left, right) for left, _, right in (str(merge).partition(" ") for merge in said[_MERGES])]
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    except Exception as error:  # the library raises no narrower one: a merge of unknown tokens, a token that is no text
        raise UnknownVocabulary from error
    _set_rule(tokenizer, str(said.get(_RULE)))
    return tokenizer


def _set_rule(tokenizer: Tokenizer, rule: str) -> None:
    if rule == "smollm":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    elif rule == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_QWEN2), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    else:
        raise UnknownVocabulary


def tokens_before(path: Path) -> int | None:
    """Return how many tokens stand before the first message of a file with a ChatML template; None for any other."""
    try:
        said = read_metadata(path, keys=(_TEMPLATE, _BEGINS, _TOKENS))
    except NotGguf:
        return None
    template, tokens = said.get(_TEMPLATE), said.get(_TOKENS)
    if not isinstance(template, str) or not isinstance(tokens, list):
        return None
    # Marks that the vocabulary does not have as tokens are cut into pieces.
    return int(said.get(_BEGINS) is True) if all(mark in template and mark in tokens for mark in _CHATML) else None
