"""Designs of this library from what a reference result says of its own, in R and in prose."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from r_language import Call, Name, calls_in, sum_of, value

from pipeline import survey
from pipeline.survey.calibration import calibrate, post_stratify, rake
from pipeline.survey.design import Stage
from pipeline.survey.replicates import Replicates
from pipeline.survey.trimming import trim

STEPS = {"options", "svydesign", "postStratify", "rake", "calibrate", "trimWeights"}
STEPS |= {"as.svrepdesign", "svrepdesign"}
INTERCEPT = "(Intercept)"
METHODS = {"raking": "raking", "linear": "linear", "logit": "logit"}


@cache
def table(folder: Path, name: str) -> pd.DataFrame:
    """A data set."""
    return pd.read_csv(folder / f"{name}.csv")


@dataclass
class Sample:
    """Data with the design they have, and the replicate weights where they carry it."""

    data: pd.DataFrame
    design: survey.Design
    replicates: Replicates | None = None
    sets: list[Sample] = field(default_factory=list)


@dataclass
class Facts:
    """What a design's text states of the population."""

    folder: Path
    text: str
    dataset: str

    def bound(self, name: str) -> Any:
        """What is written as `name=c(...)` or `name=data.frame(...)`."""
        written_out = rf"(?<![\w.]){re.escape(name)}\s*=\s*((?:c|data\.frame)\()"
        found = re.search(written_out, self.text)
        return calls_in(self.text[found.start(1) :], {"c", "data.frame"})[0] if found else None

    def totals(self, node: Any) -> dict[str, float]:
        """Named totals: a vector written out, or bound to a name, or listed as `P = a=1,b=2`."""
        if isinstance(node, Name):
            listed = re.search(rf"\b{node.name} = ((?:[\w.:()`]+=[\d.e+]+,?)+)", self.text)
            if listed:
                pairs = (pair.split("=") for pair in listed[1].split(",") if pair)
                return {key.strip("`"): float(number) for key, number in pairs}
            node = self.bound(node.name)
        return {} if node is None else dict(node.args)

    def counts(self, columns: tuple[str, ...], data: pd.DataFrame) -> dict[Any, float]:
        """Counts of the population by one column or several, from prose or from its files."""
        name = columns[0]
        prose = re.search(rf"\b{re.escape(name)} ((?:\w+ \d+,? ?)+)", self.text)
        if len(columns) == 1 and prose:
            return {level: float(n) for level, n in re.findall(r"(\w+) (\d+)", prose[1])}
        if self.dataset.startswith("firms"):
            margins = table(self.folder, "firms_margins")
            rows = margins[margins["margin"] == name]
            return dict(zip(rows["level"], rows["N"].astype(float), strict=True))
        population = derived(table(self.folder, "apipop"), "", sorted(set(data.get("wave", [0]))))
        if name not in population and name in data and "wave" in data:
            counts: dict[Any, float] = {}
            for level in sorted(data[name].unique()):
                rest = level.partition(".")[2]
                of = next(c for c in ("stype", "awards") if rest in set(population[c]))
                counts[level] = float((population[of] == rest).sum())
            return counts
        groups = population.groupby(list(columns) if len(columns) > 1 else name).size()
        return {key: float(n) for key, n in groups.items()}

    def total(self, name: str) -> float:
        """Population total of a number."""
        stated = re.search(rf"\btotal {re.escape(name)} (\d+)", self.text)
        if stated:
            return float(stated[1])
        if self.dataset.startswith("firms"):
            margins = table(self.folder, "firms_margins")
            return float(margins.loc[margins["margin"] == "size", name].sum())
        return float(table(self.folder, "apipop")[name].sum())


def derived(data: pd.DataFrame, text: str, waves: list[Any]) -> pd.DataFrame:
    """Data with the columns that a text derives: `a=factor(b)`, `a=b.c`, and those of each wave.

    y1 is y in wave 1 and 0 else, i1 says whether it is wave 1; ya1 and ia1 within awards.
    """
    data = data.copy()
    for name, source in re.findall(r"(?<![\w.])(\w+)=factor\((\w+)\)", text):
        data[name] = data[source].astype(str)
    for name, a, b in re.findall(r"(?<![\w.])(\w+)=(\w+)\.(\w+)(?![\w.(])", text):
        if a in data and b in data:
            data[name] = data[a].astype(str) + "." + data[b].astype(str)
    if "wave" in data:
        for wave in waves:
            inside = (data["wave"] == wave).astype(float)
            award = inside * (data["awards"] == "Yes")
            data[f"i{wave}"], data[f"ia{wave}"] = inside, award
            for letter, column in (("y", "y"), ("e", "enroll"), ("h", "high")):
                data[f"{letter}{wave}"] = data[column] * inside
                data[f"{letter}a{wave}"] = data[column] * award
    return data


def names_in(node: Any) -> list[str]:
    """Columns of a formula, none for ~1 and ~0."""
    terms = [] if node is None else sum_of(node)
    return [term.name for term in terms if isinstance(term, Name)]


def plain_design(call: Call, data: pd.DataFrame, lonely: str) -> survey.Design:
    """What `svydesign` says."""
    ids = names_in(call.get("id", "ids", place=0))
    columns = [data[name].astype(str) for name in ids] or [np.arange(len(data))]
    strata, sizes = names_in(call.get("strata")), names_in(call.get("fpc"))
    stages = []
    for i, units in enumerate(columns):
        of = data[strata[i]] if i < len(strata) else None
        size = data[sizes[i]].astype(float) if i < len(sizes) else None
        if size is not None and (size <= 1).all():
            units_of = pd.DataFrame({"u": units, "h": 0 if of is None else of})
            size = units_of.groupby("h")["u"].transform("nunique") / size
        stages.append(Stage(units, of, size))
    weights, chance = call.get("weights", "weight"), call.get("probs", "prob")
    given = None
    if weights is not None or chance is not None or not sizes:
        column = names_in(weights if weights is not None else chance)
        number = data[column[0]].to_numpy(dtype=float) if column else np.ones(len(data))
        given = 1 / number if weights is None else number
    return survey.Design.from_stages(stages, given, lonely)


def margins_of(formula: Any, totals: dict[str, float], facts: Facts, data: pd.DataFrame) -> dict:
    """Margins of this library from R's formula and totals, named as the columns of a regression."""
    if isinstance(formula, Call) and formula.name == "list":
        raise TypeError("a list of margins is read by `listed`")
    terms = [node for node in sum_of(formula) if isinstance(node, Name | Call)]
    without_intercept = INTERCEPT not in totals
    result: dict[Any, Any] = {}
    if all(isinstance(t, Name) and pd.api.types.is_numeric_dtype(data[t.name]) for t in terms):
        result |= {INTERCEPT: totals[INTERCEPT]} if INTERCEPT in totals else {}
    for term in terms:
        columns = tuple(n.name for _, n in term.args) if isinstance(term, Call) else (term.name,)
        kinds = [pd.api.types.is_numeric_dtype(data[column]) for column in columns]
        if len(columns) == 1 and kinds[0]:
            column = columns[0]
            result[column] = totals[column] if totals else facts.total(column)
        elif not totals:
            result[columns[0] if len(columns) == 1 else columns] = facts.counts(columns, data)
        elif len(columns) == 1:
            first = without_intercept and term is terms[0]
            whole = None if first else totals.get(INTERCEPT)
            result[columns[0]] = _levels(columns[0], "", totals, data, whole)
        else:
            a, b = columns
            result[columns] = {
                (level, inner): count
                for level in sorted(data[a].unique())
                for inner, count in _levels(
                    b, f"{a}{level}:", totals, data, totals[f"{a}{level}"]
                ).items()
            }
    return result


def _levels(
    column: str, prefix: str, totals: dict[str, float], data: pd.DataFrame, whole: float | None
) -> dict[Any, float]:
    """Counts of a factor's levels; the first is what the others leave of the whole."""
    levels = sorted(data[column].dropna().unique())
    if whole is None:
        return {level: totals[f"{prefix}{column}{level}"] for level in levels}
    rest = {level: totals[f"{prefix}{column}{level}"] for level in levels[1:]}
    return {levels[0]: whole - sum(rest.values()), **rest}


def listed(call: Call, facts: Facts, data: pd.DataFrame) -> dict[Any, dict[Any, float]]:
    """Margins of `rake` and `postStratify`: formulas and tables, one or in lists."""
    formulas, tables = (call.get(place=1), call.get(place=2))
    several = isinstance(formulas, Call) and formulas.name == "list"
    formulas = [node for _, node in formulas.args] if several else [formulas]
    tables = [node for _, node in tables.args] if several and isinstance(tables, Call) else [tables]
    tables += [None] * (len(formulas) - len(tables))
    result = {}
    for formula, given in zip(formulas, tables, strict=True):
        columns = tuple(names_in(formula))
        frame = facts.bound(given.name) if isinstance(given, Name) else given
        if isinstance(frame, Call) and frame.name == "data.frame":
            parts = {name: value(node, {}) for name, node in frame.args}
            keys = list(zip(*(parts[column] for column in columns), strict=True))
            keys = [key[0] for key in keys] if len(columns) == 1 else keys
            counts = dict(zip(keys, parts["Freq"], strict=True))
        else:
            counts = facts.counts(columns, data)
        result[columns[0] if len(columns) == 1 else columns] = counts
    return result


def numbers(node: Any) -> tuple[float, ...] | None:
    """A vector of numbers."""
    return None if node is None else tuple(float(x) for x in np.ravel(value(node, {})))


def step(call: Call, sample: Sample, facts: Facts) -> survey.Design:
    """The design after one more call."""
    data, design = sample.data, sample.design
    if call.name == "trimWeights":
        upper, lower = call.get("upper", place=1), call.get("lower", place=2, default=0.0)
        strict = bool(call.get("strict", default=False))
        return trim(design, lower=lower, upper=upper, strict=strict)
    formula = call.get("formula", place=1)
    if call.name == "postStratify":
        margins = listed(call, facts, data)
        ((columns, counts),) = margins.items()
        if isinstance(columns, str):
            return post_stratify(design, data[columns], counts)
        cells = data[list(columns)].agg("/".join, axis=1)
        return post_stratify(design, cells, {"/".join(k): n for k, n in counts.items()})
    if call.name == "rake":
        return rake(design, data, listed(call, facts, data))
    if isinstance(formula, Call) and formula.name == "list":
        margins = listed(call, facts, data)
    else:
        margins = margins_of(formula, facts.totals(call.get("population", place=2)), facts, data)
    power = numbers(call.get("variance"))
    column = names_in(formula)[0] if power else None
    return calibrate(
        design,
        data.assign(**{INTERCEPT: 1.0}),
        margins,
        method=METHODS[call.get("calfun", default="linear")],
        bounds=numbers(call.get("bounds")),
        variance=power[0] * data[column].to_numpy(dtype=float) if power else None,
    )


def replicates_of(call: Call, sample: Sample, facts: Facts) -> Replicates:
    """Replicate weights from the file that the text names, with the scale it states."""
    name = re.search(r"(rep_\w+)\.csv", facts.text)
    if not name:
        raise LookupError("no file of replicate weights is named")
    columns = table(facts.folder, name[1]).to_numpy(dtype=float)
    scale = re.search(r"\bscale=([\d.e+-]+)", facts.text)
    weights, mse = sample.design.weights, bool(call.get("mse", default=False))
    if not scale:
        rho = float(call.get("rho", "fay.rho", default=0.0))
        kind = str(call.get("type")).replace("subbootstrap", "bootstrap")
        return Replicates.of_kind(kind, weights, columns, rho=rho, mse=mse)
    path = facts.folder / f"{name[1]}_rscales.csv"
    rscales = table(facts.folder, path.stem)["rscales"].to_numpy(dtype=float)
    return Replicates(weights, columns, float(scale[1]), rscales, mse)


def sample_of(item: dict[str, Any], folder: Path) -> Sample:
    """Data and design of a reference result."""
    text = item["design"].replace("imputationList(5 imputations)", "imputed")
    facts = Facts(folder, text, item["dataset"])
    data = table(folder, item["dataset"])
    data = derived(data, text, sorted(data["wave"].unique()) if "wave" in data else [])
    if "imp" in data:
        whole = {**item, "dataset": None}
        sets = [
            _built(whole, facts, rows.reset_index(drop=True)) for _, rows in data.groupby("imp")
        ]
        return Sample(data, sets[0].design, sets=sets)
    return _built(item, facts, data)


def _built(item: dict[str, Any], facts: Facts, data: pd.DataFrame) -> Sample:
    lonely, sample = "adjust", None
    for call in calls_in(facts.text, STEPS):
        if call.name == "options":
            lonely = call.get("survey.lonely.psu", default=lonely)
        elif call.name == "svydesign":
            sample = Sample(data, plain_design(call, data, lonely))
        elif call.name.endswith("svrepdesign"):
            if sample is None:
                weights = names_in(call.get("weights"))
                ones = data[weights[0]] if weights else np.ones(len(data))
                sample = Sample(
                    data, survey.Design.from_stages([Stage(np.arange(len(data)))], ones)
                )
            sample.replicates = replicates_of(call, sample, facts)
        else:
            sample.design = step(call, sample, facts)
    if sample is None:
        raise LookupError(f"no design in {item['design']!r}")
    return sample
