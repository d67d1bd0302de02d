"""Histories of `histories.py`, played: many at random, or one that is written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as with_seed
from hypothesis.stateful import run_state_machine_as_test

from vault.histories import vault_machine

Step = Callable[[Any], object]
"""Something that the machine does."""


def play_histories(template: Any, *, histories: int, steps: int, seed: int) -> None:
    """Many of them, at random. Raises what the first one found that broke a promise or left the model."""
    chosen = settings(
        max_examples=histories,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate] if histories < 100 else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(with_seed(seed)(vault_machine(template)), settings=chosen)


def play(template: Any, steps: list[Step]) -> None:
    """One, compared after each step."""
    machine = vault_machine(template)()
    try:
        machine.holds()
        for step in steps:
            step(machine)
            machine.holds()
    finally:
        machine.teardown()
