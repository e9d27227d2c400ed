"""Calls the stages one after the other and keeps the table of what each took, made and cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

import pandas as pd

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Step:
    """One call of a stage: rows of its first table, rows of its result, wall time."""

    wave: str
    stage: str
    rows_in: int | None
    rows_out: int | None
    seconds: float


@dataclass
class Run:
    """A run: call it with a stage and the stage's arguments; `announce` hears of each stage."""

    announce: Callable[[str, str], None] = lambda wave, stage: None  # noqa: ARG005
    wave: str = ""
    steps: list[Step] = field(default_factory=list)

    def __call__(
        self,
        stage: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call the stage, note rows and seconds, and hand on its result."""
        self.announce(self.wave, stage.__name__)
        start = time.perf_counter()
        result = stage(*args, **kwargs)
        seconds = time.perf_counter() - start
        step = Step(self.wave, stage.__name__, _rows(args), _rows([result]), seconds)
        self.steps.append(step)
        return result


def _rows(values: Iterable[object]) -> int | None:
    """Rows of the first table among the values; None where there is no table."""
    for value in values:
        if isinstance(value, pd.DataFrame):
            return len(value)
        if isinstance(value, tuple):
            return _rows(value)
    return None
