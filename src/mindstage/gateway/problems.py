"""What can go wrong with a narrator, said so that a person can act on it."""

from dataclasses import dataclass
from typing import Final, Literal

type ProblemKind = Literal[
    "unreachable",
    "refused",
    "rejected",
    "busy",
    "unwell",
    "broken",
    "closed",
    "silent",
    "lost_in_thought",
    "not_installed",
    "loading_failed",
]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The sentence a person reads, whether trying once more can help, what is left to say when the story went on."""

    sentence: str
    retryable: bool
    past: str


_EXPLANATIONS: Final[dict[ProblemKind, Explanation]] = {
    "unreachable": Explanation(
        "The narrator cannot be reached. Your turn is kept; try again, or tell whoever runs this copy.",
        True,
        "The narrator could not be reached.",
    ),
    "refused": Explanation(
        "The narrator’s service refused this copy’s key. Your turn is kept; whoever runs this copy has to renew it.",
        False,
        "The narrator’s service refused this copy’s key.",
    ),
    "rejected": Explanation(
        "The narrator’s service did not accept the request. Your turn is kept; whoever runs this copy should check "
        "the name of the model.",
        False,
        "The narrator’s service did not accept the request.",
    ),
    "busy": Explanation(
        "The narrator is busy. Your turn is kept; wait a moment and try again.", True, "The narrator was busy."
    ),
    "unwell": Explanation(
        "The narrator’s service has trouble of its own. Your turn is kept; try again soon.",
        True,
        "The narrator’s service had trouble of its own.",
    ),
    "broken": Explanation(
        "The narrator’s words arrived damaged. What came before is kept; try again.",
        True,
        "The narrator’s words arrived damaged. What came before is kept.",
    ),
    "closed": Explanation(
        "The narrator broke off in mid-sentence. What came before is kept; try again.",
        True,
        "The narrator broke off in mid-sentence. What came before is kept.",
    ),
    "silent": Explanation(
        "The narrator has fallen silent. What came before is kept; try again.",
        True,
        "The narrator fell silent. What came before is kept.",
    ),
    "lost_in_thought": Explanation(
        "The narrator thought until no room was left for its reply. Your turn is kept; try again, or let a narrator "
        "answer that does not think first.",
        True,
        "The narrator thought until no room was left for its reply.",
    ),
    "not_installed": Explanation(
        "No narrator is installed on this machine. Your turn is kept; install one on the page “Who narrates”, then "
        "try again.",
        True,
        "No narrator was installed on this machine.",
    ),
    "loading_failed": Explanation(
        "The narrator on this machine could not be woken. Your turn is kept; try again, or install it anew on the page "
        "“Who narrates”.",
        True,
        "The narrator on this machine could not be woken.",
    ),
}


class ProviderProblem(Exception):
    """A reply failed, or stopped short.

    `sentence` is for people and holds no key, address or word of the provider's own. `retry_after` is in whole
    seconds, when the provider named a time. The text shown so far stays with whoever received the deltas.
    """

    def __init__(self, kind: ProblemKind, *, retry_after: int | None = None) -> None:
        super().__init__(kind)
        self.kind: Final = kind
        self.retry_after: Final = retry_after

    @property
    def sentence(self) -> str:
        return _EXPLANATIONS[self.kind].sentence

    @property
    def past(self) -> str:
        """What happened, for a turn after which others came: nothing is asked for, and nothing waits."""
        return _EXPLANATIONS[self.kind].past

    @property
    def retryable(self) -> bool:
        return _EXPLANATIONS[self.kind].retryable
