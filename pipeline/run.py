"""Calls the stages one after the other and keeps the table of what each took, made and cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

import pandas as pd

from pipeline.kept import kept

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Step:
    """One call of a stage: rows of its first table, rows of its result, wall time.

    `unchanged`: the result is that of an earlier run.
    """

    wave: str
    stage: str
    rows_in: int | None
    rows_out: int | None
    seconds: float
    unchanged: bool = False


@dataclass
class Run:
    """A run: call it with a stage and the stage's arguments; `announce` hears of each stage.

    `folder`: where results are kept for later runs; none are without one.
    """

    announce: Callable[[str, str], None] = lambda wave, stage: None  # noqa: ARG005
    folder: Path | None = None
    wave: str = ""
    steps: list[Step] = field(default_factory=list)

    def __call__(
        self,
        stage: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call the stage, note rows and seconds, and hand on its result."""
        return self._noted(stage.__name__, args, lambda: (stage(*args, **kwargs), False))

    def kept(
        self,
        stage: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call a stage that costs much only if something has changed; see `pipeline.kept`."""
        if self.folder is None:
            return self(stage, *args, **kwargs)
        place = self.folder / self.wave / stage.__name__
        return self._noted(stage.__name__, args, lambda: kept(place, stage, args, kwargs))

    def _noted(
        self, stage: str, args: Iterable[object], call: Callable[[], tuple[Result, bool]]
    ) -> Result:
        self.announce(self.wave, stage)
        start = time.perf_counter()
        result, unchanged = call()
        seconds = time.perf_counter() - start
        step = Step(self.wave, stage, _rows(args), _rows([result]), seconds, unchanged)
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
