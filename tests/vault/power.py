"""Power that fails after the n-th durable write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class PowerFailure(BaseException):
    """The machine went off."""


@dataclass
class Power:
    """Counts durable writes; after `fails_after` of them there is no power."""

    written: int = 0
    fails_after: int | None = None
    off: bool = False

    def before(self) -> None:
        if self.off:
            raise PowerFailure

    def after(self) -> None:
        self.written += 1
        if self.fails_after is not None and self.written >= self.fails_after:
            self.off = True
            raise PowerFailure

    def wrap[**P, R](self, write: Callable[P, R]) -> Callable[P, R]:
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            self.before()
            done = write(*args, **kwargs)
            self.after()
            return done

        return counted


class AtStatement:
    """A statement outside a transaction is a durable write of its own."""

    def __init__(self, power: Power) -> None:
        self.power = power

    def __call__(self, execute: Any, text: str, params: Any, many: bool, context: Any) -> Any:
        writes = text.startswith(("INSERT", "UPDATE", "DELETE")) and not context["connection"].in_atomic_block
        if writes:
            self.power.before()
        done = execute(text, params, many, context)
        if writes:
            self.power.after()
        return done
