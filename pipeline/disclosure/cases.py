"""A planned publication as a case: who brings what, what is told, who may not be found out.

    case = read_case(content, "case.json")     # JSON, see `Case`
    found = audited(case)                      # one finding for each target

So tables made elsewhere can be tested before they are published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError
from scipy.sparse import csr_array

from pipeline.disclosure.attack import Told, contradictions, ranges, verdicts
from pipeline.errors import MittelwelleError, Problem

_LARGEST = 1e15
"""Beyond it a float has no whole numbers, and the solver takes a bound for none."""
_LEAST = 1e-12
"""The solver leaves out what is smaller than this part of the largest coefficient of a relation."""
End = Annotated[FiniteFloat, Field(strict=True)]
Number = Annotated[End, Field(ge=-_LARGEST, le=_LARGEST)]
Name = Annotated[str, Field(min_length=1)]
Target = Annotated[
    list[Name],
    Field(min_length=1),
    BeforeValidator(lambda target: [target] if isinstance(target, str) else target),
]
"""The firms whose sum is a target; in a case also the name of one."""
_SHOWN = 3


class CaseError(MittelwelleError):
    """A case cannot be read, or contradicts itself."""

    title = "The case cannot be read"


class Relation(BaseModel):
    """Something told: lo <= sum(coef x) <= hi, either end open where it is null."""

    model_config = ConfigDict(frozen=True, extra="allow")
    label: str = ""
    coef: dict[Name, Number]
    lo: End | None = None
    hi: End | None = None


class Case(BaseModel):
    """Firms with their true values, what is told of them, and whom it must not give away.

    `order`: firms in ascending order, as published quantiles tell it. `attacker_knows`: firms whose
    value the reader has (its own). `lower`: what no firm is below, null for nothing. `p`: by how
    many per cent a reader must overestimate a target at least. `targets`: a firm, or firms whose
    sum is the target. Other keys (name, why, expected …) are left alone, unless one looks like a
    slip of the pen for a key that is not there: then less would be told than was meant.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    firms: dict[Name, Number] = Field(min_length=1)
    relations: list[Relation]
    order: list[Name] | None = None
    attacker_knows: list[Name] = []
    lower: End | None = 0.0
    p: Annotated[Number, Field(ge=0)]
    targets: list[Target] = Field(min_length=1)


class Finding(NamedTuple):
    """What a reader knows of a target: between `lo` and `hi` (None: nothing bounds it)."""

    target: str
    lo: float | None
    hi: float | None
    verdict: str


def read_case(content: bytes, file: str) -> Case:
    """Read a case from JSON; raises `CaseError` with everything that is wrong, named by `file`."""
    problems: list[Problem] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        problems.extend(_problem(f"{key!r} twice", "every key once", key) for key in twice)
        return dict(pairs)

    try:
        case = Case.model_validate(json.loads(content, object_pairs_hook=once))
    except ValidationError as error:
        problems += [_misfit(wrong) for wrong in error.errors()]
    except (ValueError, RecursionError) as error:
        problems.append(_problem(f"no JSON: {error}", "one JSON object in UTF-8", ""))
    else:
        problems += _mistakes(case)
        if not problems:
            return case
    raise CaseError([replace(problem, file=file) for problem in problems])


def audited(case: Case) -> list[Finding]:
    """Find what a reader can work out of each target, in the order of the case."""
    told = _told(case)
    place = {firm: i for i, firm in enumerate(case.firms)}
    known = np.isin(np.arange(len(place)), [place[firm] for firm in case.attacker_knows])
    matrix = csr_array(
        np.array([np.isin(list(place), names) for names in case.targets], dtype=float)
    )
    found = ranges(told, matrix, known)
    judged = verdicts(matrix @ told.values, found, case.p)
    return [
        Finding("+".join(names), _number(low), _number(high), str(verdict))
        for names, low, high, verdict in zip(case.targets, *found, judged, strict=True)
    ]


def _told(case: Case) -> Told:
    """The relations and the order as rows over the firms."""
    place = {firm: i for i, firm in enumerate(case.firms)}
    rows = [relation.coef for relation in case.relations]
    rows += [{below: -1.0, above: 1.0} for below, above in pairwise(case.order or [])]
    matrix = np.zeros((len(rows), len(place)))
    for i, row in enumerate(rows):
        matrix[i, [place[firm] for firm in row]] = list(row.values())
    ends = [(r.lo, r.hi) for r in case.relations]
    ends += [(0.0, None)] * (len(rows) - len(ends))
    lower = -np.inf if case.lower is None else case.lower
    return Told(
        np.array(list(case.firms.values())),
        csr_array(matrix),
        np.array([-np.inf if low is None else low for low, _ in ends]),
        np.array([np.inf if high is None else high for _, high in ends]),
        np.full(len(place), lower),
        np.full(len(place), np.inf),
    )


def _mistakes(case: Case) -> Iterator[Problem]:
    """Names that are no firm, ends the wrong way round, values that contradict what is told."""
    yield from _slips(case)
    order = case.order or []
    used = [(f"relations.{i}.coef", list(r.coef)) for i, r in enumerate(case.relations)]
    used += [("order", order), ("attacker_knows", case.attacker_knows)]
    used += [(f"targets.{i}", names) for i, names in enumerate(case.targets)]
    unknown = False
    for item, names in used:
        for name in dict.fromkeys(name for name in names if name not in case.firms):
            unknown = True
            yield _problem(f"{name!r}", f"a firm: {_listed(list(case.firms))}", item)
        if len(set(names)) < len(names):
            yield _problem(f"{_listed(names)}", "each firm once", item)
    named = ["+".join(names) for names in case.targets]
    if len(set(named)) < len(named):
        yield _problem(f"{_listed(named)}", "each target once", "targets")
    for i, relation in enumerate(case.relations):
        if relation.lo is not None and relation.hi is not None and relation.lo > relation.hi:
            yield _problem(f"{relation.lo:g} to {relation.hi:g}", "lo <= hi", f"relations.{i}")
    for firm, value in case.firms.items():
        if case.lower is not None and value < case.lower:
            yield _problem(f"{value:g}", f"{case.lower:g} (`lower`) or more", f"firms.{firm}")
    if unknown:
        return
    for i in contradictions(_told(case)):
        is_order = i >= len(case.relations)
        item = "order" if is_order else f"relations.{i}"
        expected = "ascending true values" if is_order else "what the true values fulfil"
        yield _problem(_truth(case, int(i)), expected, item)


def _slips(case: Case) -> Iterator[Problem]:
    """Keys that are likely meant for one that is not there; coefficients that would not count."""
    optional = {"order", "attacker_knows", "lower"} - case.model_fields_set
    for key in case.model_extra or {}:
        for meant in get_close_matches(key.lower(), sorted(optional), n=1, cutoff=0.75):
            yield _problem(f"{key!r}", f"{meant!r}, or a key less like it", key)
    for i, relation in enumerate(case.relations):
        if relation.model_extra and not {"lo", "hi"} <= relation.model_fields_set:
            keys = ", ".join(map(repr, relation.model_extra))
            ends = "label, coef, lo and hi (null where that end is open)"
            yield _problem(keys, ends, f"relations.{i}")
        sizes = [abs(coef) for coef in relation.coef.values() if coef]
        if sizes and min(sizes) <= _LEAST * max(sizes):
            found = f"{min(sizes):g} beside {max(sizes):g}"
            yield _problem(found, "coefficients within 12 digits", f"relations.{i}.coef")


def _truth(case: Case, row: int) -> str:
    """What the true values make of a relation, or of a step of the order."""
    if row >= len(case.relations):
        step = row - len(case.relations)
        below, above = (case.order or [])[step : step + 2]
        return f"{below} {case.firms[below]:g} before {above} {case.firms[above]:g}"
    relation = case.relations[row]
    truth = sum(coef * case.firms[firm] for firm, coef in relation.coef.items())
    ends = ["open" if end is None else f"{end:.10g}" for end in (relation.lo, relation.hi)]
    return f"{truth:.10g}, told as {' to '.join(ends)}"


def _misfit(wrong: Mapping[str, Any]) -> Problem:
    """What does not have the form of a case, in its words."""
    item = ".".join(str(part) for part in wrong["loc"] if part != "[key]")
    if wrong["type"] == "missing":
        return _problem("nothing", "this key, as in docs/audit.md", item)
    expected = wrong["msg"].removeprefix("Input should be ").split(" after validation")[0]
    return _problem(f"{wrong['input']!r:.60}", expected if item else "one JSON object", item)


def _problem(found: str, expected: str, item: str) -> Problem:
    return Problem(found, expected, "correct the case", item=item)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")


def _number(value: float) -> float | None:
    """As JSON can say it: nothing for infinity, without the last digits of a float."""
    return float(f"{value:.12g}") + 0.0 if np.isfinite(value) else None
