"""What R's calls estimate, worked out by this library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from r_designs import Sample, names_in, numbers, sample_of
from r_language import Call, Name, parse, sum_of, value
from r_tables import (
    INFINITE,
    Table,
    alone,
    columns_of,
    delta,
    filled,
    one,
    replicated,
    with_interval,
)

from pipeline import survey
from pipeline.survey.dispersion import design_effect, population_variance
from pipeline.survey.imputed import combine
from pipeline.survey.quantiles import quantile
from pipeline.survey.replicates import replicate
from pipeline.survey.weight_quality import weight_summary

Statistic = Callable[[survey.Design], list[tuple[str, survey.Estimate]]]


class Evaluator:
    """Evaluates the calls on one sample."""

    def __init__(self, sample: Sample, name: str) -> None:
        self.sample, self.data, self.name = sample, sample.data, name

    def inside(self, design_node: Any) -> np.ndarray:
        """The domain that `subset` names."""
        if isinstance(design_node, Call) and design_node.name == "subset":
            condition = np.asarray(value(design_node.args[1][1], self.data), dtype=float)
            return self.inside(design_node.args[0][1]) & (np.nan_to_num(condition) > 0)
        return np.ones(len(self.data), dtype=bool)

    # Statistics: from a call to a function of the design, so that replicates can repeat it.

    def statistic(self, call: Call, domain: np.ndarray | None = None) -> Statistic:
        everyone = self.inside(call.get("design", place=1)) if domain is None else domain
        if call.name == "svyratio":
            second = call.get("denominator", place=1)
            everyone = self.inside(call.get("design", place=2)) if domain is None else domain
            above = columns_of(call.get("numerator", "formula", place=0), self.data)
            below = columns_of(second, self.data)
            complete = everyone & ~np.isnan([*above.values(), *below.values()]).any(axis=0)
            return lambda design: [
                (f"{a}/{b}", survey.ratio(design, filled(above[a]), filled(below[b]), complete))
                for b in below
                for a in above
            ]
        columns = columns_of(call.get("formula", "x", place=0), self.data)
        complete = everyone & ~np.isnan(list(columns.values())).any(axis=0)
        verbs = {"svymean": survey.mean, "svytotal": survey.total, "svyvar": population_variance}
        verb = verbs[call.name]
        return lambda design: [
            (name, verb(design, filled(x), complete)) for name, x in columns.items()
        ]

    def by(self, call: Call) -> Statistic:
        parts = [
            (group, self.statistic(*self.within(call, inside)))
            for group, inside in self.groups(call)
        ]

        def grouped(design: survey.Design) -> list[tuple[str, survey.Estimate]]:
            tables = [(group, part(design)) for group, part in parts]
            return [
                (group if len(rows) == 1 else f"{group}:{name}", e)
                for group, rows in tables
                for name, e in rows
            ]

        return grouped

    def groups(self, call: Call) -> list[tuple[str, np.ndarray]]:
        names = names_in(call.get("by", place=1))
        labels = self.data[names].astype(str).agg(".".join, axis=1)
        known = self.data[names].notna().all(axis=1) & self.inside(call.get("design", place=2))
        known &= self.sample.design.weights > 0
        return [(g, (known & (labels == g)).to_numpy()) for g in sorted(labels[known].unique())]

    def within(self, call: Call, inside: np.ndarray) -> tuple[Call, np.ndarray]:
        """The call that `svyby` makes in a group."""
        options = tuple(a for a in call.args if a[0] and a[0] not in {"covmat", "vartype", "by"})
        formula = ((None, call.get("formula", place=0)),)
        function = call.get("FUN", place=3)
        function = function or [node for name, node in call.args if name is None][-1]
        return Call(function.name, formula + options), inside

    def table(self, statistic: Statistic) -> Table:
        """Estimates with the errors of the design, or of its replicates."""
        sample = self.sample
        rows = statistic(sample.design)
        labels, estimates = [label for label, _ in rows], [e for _, e in rows]
        if sample.replicates is not None:

            def again(weights: np.ndarray) -> list[float]:
                design = replace(sample.design, weights=weights, adjustments=())
                return [float(e.estimate) for _, e in statistic(design)]

            return replicated(labels, replicate(sample.replicates, again))
        values, errors = ([float(getattr(e, x)) for e in estimates] for x in ("estimate", "se"))
        return Table(labels, np.array(values), np.array(errors), estimates=estimates)

    # Calls

    def evaluate(self, call: Call) -> Table:
        rules = {
            "svyquantile": self.quantiles,
            "svyciprop": self.proportion,
            "svycontrast": self.contrast,
            "vcov": self.covariances,
            "confint": self.interval,
            "weights": self.weights,
            "MIcombine": self.imputed,
        }
        if call.name in rules:
            return rules[call.name](call)
        if call.name == "svyby":
            return self.grouped(call)
        result = self.table(self.statistic(call))
        if call.get("deff") and call.name == "svymean":
            domain = self.inside(call.get("design", place=1))
            with_replacement = call.get("deff") == "replace"
            result.extra = {
                f"deff_{name}": float(
                    design_effect(self.sample.design, x, domain, replacement=with_replacement)
                )
                for name, x in columns_of(call.args[0][1], self.data).items()
            }
        return result

    def grouped(self, call: Call) -> Table:
        if self.within(call, np.ones(0))[0].name != "svyquantile":
            result = self.table(self.by(call))
            if call.get("vartype") is None:
                return result
            return with_interval(result, INFINITE)
        parts = [self.quantiles(*self.within(call, g), group) for group, g in self.groups(call)]
        joined = {
            name: np.concatenate([getattr(p, name) for p in parts])
            for name in ("estimate", "se", "low", "high")
        }
        return Table([label for p in parts for label in p.labels], **joined)

    def quantiles(
        self, call: Call, domain: np.ndarray | None = None, label: str | None = None
    ) -> Table:
        inside = self.inside(call.get("design", place=1)) if domain is None else domain
        columns = columns_of(call.get("formula", "x", place=0), self.data)
        # R has a table by variable; a result names the one it has kept at the end of its id.
        chosen = max((c for c in columns if self.name.endswith(f".{c}")), key=len, default=None)
        y = columns[chosen or next(iter(columns))]
        complete = inside & ~np.isnan(list(columns.values())).any(axis=0)
        p = numbers(call.get("quantiles", place=2))
        rule = call.get("qrule", default="math")
        kind = renamed(call.get("interval.type", default="mean"))
        level = 1 - float(call.get("alpha", default=0.05))
        rows = [
            quantile(
                self.sample.design, filled(y), q, complete, rule=rule, interval=kind, level=level
            )
            for q in p
        ]
        labels = [label] if label else [f"q{q:g}" for q in p]
        found = {x: np.array([float(getattr(r, x)) for r in rows]) for x in ("estimate", "se")}
        ends = {x: np.array([float(getattr(r.interval, x)) for r in rows]) for x in ("low", "high")}
        return Table(labels, **found, **ends)

    def proportion(self, call: Call) -> Table:
        inside = self.inside(call.get("design", place=1))
        (term,) = sum_of(call.get("formula", place=0))
        y = np.asarray(value(term, self.data), dtype=float)
        domain = inside & ~np.isnan(y)
        design = self.sample.design
        e = survey.share(design, filled(y), domain)
        whole = survey.mean(design, np.ones(len(y)), inside)  # R counts those without an answer too
        df = call.get("df")
        e = replace(e, n=whole.n, df=np.asarray(df) if isinstance(df, float) else whole.df)
        method, level = (
            renamed(call.get("method", default="logit")),
            call.get("level", default=0.95),
        )
        if method == "mean":
            low, high = survey.t_interval(e, level)
        else:
            low, high = survey.share_interval(e, level, method=method)
        ends = np.array([float(low)]), np.array([float(high)])
        return Table(["prop"], *alone(e), low=ends[0], high=ends[1], estimates=[e])

    def contrast(self, call: Call) -> Table:
        inner, what = call.args[0][1], call.args[1][1]
        if isinstance(inner, Call) and inner.name == "svyby":
            given = self.table(self.by(inner))
        else:
            given = self.table(self.statistic(inner))
        at = {label: i for i, label in enumerate(given.labels)}
        if what.name == "c":
            named = [(name, value(node, {})) for name, node in what.args]
            if all(name is None for name, _ in named):
                named = list(zip(given.labels, [x for _, x in named], strict=True))
            chosen, factors = [name for name, _ in named], [x for _, x in named]

            def linear(*x: Any) -> Any:
                return sum(factor * part for factor, part in zip(factors, x, strict=True))

            if given.estimates is not None:
                parts = [given.estimates[at[name]] for name in chosen]
                return one("contrast", survey.contrast(parts, factors))
            return delta(given, [at[name] for name in chosen], linear)
        expression = what.args[0][1]
        chosen = sorted(names_used(expression) & set(at))

        def smooth(*x: Any) -> Any:
            return value(expression, dict(zip(chosen, x, strict=True)))

        if given.estimates is not None:
            parts = [given.estimates[at[name]] for name in chosen]
            return one("contrast", survey.function(parts, smooth))
        return delta(given, [at[name] for name in chosen], smooth)

    def covariances(self, call: Call) -> Table:
        inner = call.args[0][1]
        given = self.table(self.by(inner) if inner.name == "svyby" else self.statistic(inner))
        covariance = given.covariance
        if covariance is None:
            covariance = np.array(
                [[float(survey.covariance(a, b)) for b in given.estimates] for a in given.estimates]
            )
        count = range(len(given.labels))
        pairs = [(i, j) for i in count for j in count if i < j]
        spread = np.sqrt(np.diag(covariance))
        result = {f"var{i + 1}": covariance[i, i] for i in count}
        result |= {f"cov{i + 1}{j + 1}": covariance[i, j] for i, j in pairs}
        for i, j in pairs:
            name = "corr" if len(count) == 2 else f"corr{i + 1}{j + 1}"
            result[name] = covariance[i, j] / (spread[i] * spread[j])
        extra = self.overlaps()
        empty = np.full(len(result), np.nan)
        return Table(list(result), np.array(list(result.values())), empty, extra=extra)

    def overlaps(self) -> dict[str, float]:
        """Units of two waves, and those of both."""
        if "wave" not in self.data:
            return {}
        first, second = (set(rows["firm"]) for _, rows in self.data.groupby("wave"))
        both = len(first & second)
        return {"n_wave1": len(first), "n_wave2": len(second), "n_overlap": both}

    def interval(self, call: Call) -> Table:
        inner = call.args[0][1]
        result = self.evaluate(inner)
        if result.low is not None:
            return result
        df = call.get("df", default=INFINITE)
        if isinstance(df, Call):  # degf(design)
            whole, inside = np.ones(len(self.data)), self.inside(df.args[0][1])
            carried = self.sample.replicates
            df = float((carried or survey.mean(self.sample.design, whole, inside)).df)
        result = with_interval(result, df, call.get("level", default=0.95))
        result.extra = {"df": df}
        return result

    def weights(self, _: Call) -> Table:
        w = self.sample.design.weights
        of = weight_summary(w)
        found = {"sum": of.total, "sumsq": float((w**2).sum()), "min": of.smallest}
        found |= {"max": of.largest, "kish_deff": of.design_effect}
        return Table(list(found), np.array(list(found.values())), np.full(len(found), np.nan))

    def imputed(self, call: Call) -> Table:
        inner = call.args[0][1].args[1][1]
        sets = [Evaluator(sample, self.name).evaluate(inner) for sample in self.sample.sets]
        parts = [[s.estimates[i] for s in sets] for i in range(len(sets[0].labels))]
        complete = float(call.get("df.complete", default=np.inf))
        joined = [combine(part, complete_df=complete) for part in parts]
        labels = sets[0].labels
        extra = {f"df.{n}": float(e.df) for n, e in zip(labels, joined, strict=True)}
        extra |= {f"fmi.{n}": float(e.fmi) for n, e in zip(labels, joined, strict=True)}
        values = np.array([float(e.estimate) for e in joined])
        return Table(labels, values, np.array([float(e.se) for e in joined]), extra=extra)


def renamed(method: str) -> str:
    """R's `xlogit` is the interval on the scale of the logit; its `logit` iterates to the same."""
    return "logit" if method == "xlogit" else method


def names_used(node: Any) -> set[str]:
    if isinstance(node, Name):
        return {node.name}
    if isinstance(node, Call):
        return set().union(*(names_used(argument) for _, argument in node.args))
    return set()


def evaluate(item: dict[str, Any], folder: Path) -> Table:
    """Work out a reference result."""
    return Evaluator(sample_of(item, folder), item["id"]).evaluate(parse(item["call"]))
