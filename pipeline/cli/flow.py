"""The stages, read from the code of `wave.py` itself."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

import pandera.pandas as pa

import pipeline.wave

PHASES = {
    "collect": "4 collect",
    "process": "5 process",
    "store": "5 process",
    "analyse": "6 analyse",
    "disseminate": "7 disseminate",
    "evaluate": "8 evaluate",
}
"""Phases of the GSBPM, by the folder of the stage's module."""


@dataclass(frozen=True)
class Stage:
    """A stage: its name, phase, the tables it takes and makes, and what it does."""

    name: str
    phase: str
    takes: tuple[str, ...]
    makes: tuple[str, ...]
    what: str


def stages() -> list[Stage]:
    """Every stage that `wave.py` gives to `run` or `run.kept`, in the order of a wave."""
    tree = ast.parse(inspect.getsource(pipeline.wave))
    bodies = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return [_stage(getattr(pipeline.wave, name)) for name in _calls(bodies, "run_wave")]


def markdown(listed: Sequence[Stage]) -> str:
    """The stages as a Markdown table."""
    rows = ["| stage | phase | takes | makes | what it does |", "|---|---|---|---|---|"]
    for stage in listed:
        takes, makes = (", ".join(names) for names in (stage.takes, stage.makes))
        rows.append(f"| `{stage.name}` | {stage.phase} | {takes} | {makes} | {stage.what} |")
    return "\n".join(rows)


def _calls(bodies: dict[str, ast.FunctionDef], function: str) -> Iterator[str]:
    """Names of stages in the order in which they are called, functions of the module inlined."""
    calls = [node for node in ast.walk(bodies[function]) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        called = ast.unparse(call.func)
        if called in {"run", "run.kept"} and isinstance(call.args[0], ast.Name):
            yield call.args[0].id
        elif called in bodies:
            yield from _calls(bodies, called)


def _stage(function: Callable[..., Any]) -> Stage:
    hints = get_type_hints(function)
    makes = tuple(_tables(hints.pop("return")))
    takes = tuple(table for hint in hints.values() for table in _tables(hint))
    folder = function.__module__.split(".")[1]
    what = (inspect.getdoc(function) or "").split("\n")[0]
    return Stage(function.__name__, PHASES[folder], takes, makes, what)


def _tables(hint: Any) -> Iterator[str]:
    """Names of the table models in an annotation, also within a dataclass."""
    if dataclasses.is_dataclass(hint):
        for inner in get_type_hints(hint).values():
            yield from _tables(inner)
    elif inspect.isclass(hint) and issubclass(hint, pa.DataFrameModel):
        yield hint.__name__
    else:
        for inner in get_args(hint):
            yield from _tables(inner)
