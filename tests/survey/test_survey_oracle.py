"""Estimates and standard errors against R survey 4.1, for every result this library covers.

The results are chosen by their design and call, not by name: element designs (the units are the
primary sampling units), stratified, with or without population sizes, and the two-wave panel.
"""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline import survey

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "statistics"
NAME = r"[\w.]+"
UNIT = {"scd": ["ESA", "ambulance"], "fpc": ["stratid", "psuid"], "panel_two_waves": ["firm"]}
COVERED = 39


def items() -> list[dict[str, Any]]:
    path = FOLDER / "oracle.json"
    return json.loads(path.read_text())["items"] if path.exists() else []


def evaluator(item: dict[str, Any]):
    """Return the function for the item's call, or None where design or call is beyond this."""
    element = "id=~1," in item["design"] or item["dataset"] in UNIT
    one_step = not re.search(r"; (?!svydesign)|imputationList", item["design"])
    if element and one_step and "svydesign" in item["design"]:
        for pattern, function in CALLS.items():
            if found := re.fullmatch(pattern, item["call"]):
                return lambda data: function(item, data, *found.groups())
    return None


def read(item: dict[str, Any]) -> pd.DataFrame:
    data = pd.read_csv(FOLDER / "data" / f"{item['dataset']}.csv")
    unit = UNIT.get(item["dataset"])
    data["unit"] = data[unit].astype(str).agg("/".join, axis=1) if unit else np.arange(len(data))
    return data


def design(item: dict[str, Any], data: pd.DataFrame) -> survey.Design:
    def argument(names: str) -> str | None:
        found = re.search(rf"\b(?:{names})=~({NAME})", item["design"])
        return found[1] if found else None

    strata, weights, fpc = argument("strata"), argument("weights"), argument("fpc")
    lonely = re.search(r"lonely.psu='(\w+)'", item["design"])
    rule = lonely[1].replace("remove", "certainty") if lonely else "adjust"
    return survey.Design.from_sample(
        data["unit"],
        data[strata],
        data[weights] if weights else np.ones(len(data)),
        data.groupby(strata)[fpc].first().to_dict() if fpc else None,
        rule,
    )


def simple(verb: str, sample: survey.Design, data: pd.DataFrame, y: str, **other: Any):
    """Estimate as R does with na.rm=TRUE: missing is outside the domain, not another phase."""
    inside = data[y].notna().to_numpy() & np.asarray(other.get("domain", True))
    values = data[y].fillna(0)
    if verb == "ratio":
        return survey.ratio(sample, values, data[other["x"]], inside)
    return {"mean": survey.mean, "total": survey.total}[verb](sample, values, inside)


def pairs(estimates: dict[str, survey.Estimate]) -> dict[str, tuple[float, float]]:
    return {k: (float(e.estimate), float(e.se)) for k, e in estimates.items()}


def plain(item, data, verb, variables, *_):
    sample = design(item, data)
    return pairs({y: simple(verb, sample, data, y) for y in variables.split("+")})


def plain_ratio(item, data, y, x, *_):
    return pairs({f"{y}/{x}": simple("ratio", design(item, data), data, y, x=x)})


def domains(item, data, y, by, verb) -> dict[str, survey.Estimate]:
    """Estimates by group, `y` is "y/x" for a ratio; a group by wave has the design of its wave."""
    result = {}
    y, _, x = y.partition("/")
    by = by.split("+")
    waves = data.groupby("wave") if "wave" in by else [(None, data)]
    for _, rows in waves:
        sample = design(item, rows)
        names = rows[by].astype(str).agg(".".join, axis=1)
        for name in sorted(names.unique()):
            result[name] = simple(verb, sample, rows, y, domain=names == name, x=x)
    return result


def grouped(item, data, variables, by, verb, *_):
    variables = variables.split("+")
    return pairs(
        {
            f"{name}:{y}" if len(variables) > 1 else name: estimate
            for y in variables
            for name, estimate in domains(item, data, y, by, verb).items()
        }
    )


def grouped_ratio(item, data, y, by, x, *_):
    return pairs(domains(item, data, f"{y}/{x}", by, "ratio"))


def linear(item, data, *call):
    *groups, coefficients = call
    groups = domains(item, data, *groups)
    terms = dict(re.findall(rf"`?({NAME})`?=(-?1)", coefficients))
    chosen = [groups[name] for name in terms]
    return pairs({"contrast": survey.contrast(chosen, [float(c) for c in terms.values()])})


def formula(estimates: dict[str, survey.Estimate], text: str):
    """Function of estimates as R's `quote` writes it: names in backquotes, or plain words."""
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        names.append(found[1] or found[2])
        return f"x[{len(names) - 1}]"

    text = re.sub(rf"`({NAME})`|\b([a-z]\w*)\b(?!\()", place, text)

    def f(*x):
        return eval(text, {"x": x, "log": np.log})

    return pairs({"contrast": survey.function([estimates[name] for name in names], f)})


def percent(item, data, *call):
    *groups, text = call
    return formula(domains(item, data, *groups), text)


def percent_ratio(item, data, y, by, *call):
    x, text = call
    return formula(domains(item, data, f"{y}/{x}", by, "ratio"), text)


def quotient(item, data, variables, text):
    sample = design(item, data)
    means = {y: simple("mean", sample, data, y) for y in variables.split("+")}
    return formula(means, text)


def joint(item, data, y, by, verb):
    a, b = domains(item, data, y, by, verb).values()
    v1 = float(survey.contrast([a, b], [1, 0]).se) ** 2
    v2 = float(survey.contrast([a, b], [0, 1]).se) ** 2
    cov = float(survey.covariance(a, b))
    values = {"var1": v1, "cov12": cov, "var2": v2, "corr": cov / np.sqrt(v1 * v2)}
    return {label: (value, None) for label, value in values.items()}


def proportion(item, data, condition, *_):
    y, _, value = condition.partition("==")
    data = data.assign(y=(data[y] == value.strip("'")).astype(float) if value else data[y])
    return {"prop": pairs({"y": simple("mean", design(item, data), data, "y")})["y"]}


Y, LIST = rf"~({NAME})", rf"~({NAME}(?:\+{NAME})*)"
BY = rf"svyby\({Y}, {LIST}, {NAME}, svy(mean|total)"
CALLS = {
    rf"svy(mean|total)\({LIST}, {NAME}(, deff=.*|, na.rm=TRUE)?\)": plain,
    rf"confint\(svy(mean)\({Y}, {NAME}\), .*\)": plain,
    rf"svyratio\({Y}, {Y}, {NAME}(, na.rm=TRUE)?\)": plain_ratio,
    rf"svyby\({LIST}, {LIST}, {NAME}, svy(mean|total)\)": grouped,
    rf"svyby\({Y}, {LIST}, denominator={Y}, {NAME}, svyratio\)": grouped_ratio,
    rf"svycontrast\({BY}, covmat=TRUE\), c\((.*)\)\)": linear,
    rf"svycontrast\({BY}, covmat=TRUE\), quote\((.*)\)\)": percent,
    rf"svycontrast\(svyby\({Y}, {LIST}, denominator={Y}, {NAME}, svyratio, covmat=TRUE\), "
    r"quote\((.*)\)\)": percent_ratio,
    rf"svycontrast\(svymean\({LIST}, {NAME}\), quote\((.*)\)\)": quotient,
    rf"vcov\({BY}, covmat=TRUE\)\)": joint,
    r"svyciprop\(~(?:I\()?(.*?)\)?, \w+, method='(logit|asin)'\)": proportion,
}
ITEMS = {item["id"]: item for item in items()}
CHOSEN = [name for name, item in ITEMS.items() if evaluator(item)]

pytestmark = pytest.mark.skipif(not ITEMS, reason="reference results of R are not there")


@pytest.mark.parametrize("name", CHOSEN)
def test_equals_r(name):
    item = ITEMS[name]
    computed = evaluator(item)(read(item))
    iterates = "svyciprop" in item["call"]  # there R's estimate comes from an iterated model
    for value in item["values"]:
        estimate, se = computed[value["label"]]
        tolerance = 5e-10 if iterates else 1e-10
        assert estimate == pytest.approx(value["estimate"], rel=tolerance)
        if value["se"] is not None:
            assert se == pytest.approx(value["se"], rel=1e-10)


def test_no_result_is_left_out_unseen():
    assert len(CHOSEN) >= COVERED


def test_t_interval_equals_r():
    item = ITEMS["strat.mean.ci.t"]
    data = read(item)
    e = simple("mean", design(item, data), data, "api00")
    assert e.df == item["extra"]["df"]
    expected = item["values"][0]
    low, high = survey.t_interval(e)
    assert float(low) == pytest.approx(expected["lower"], rel=1e-10)
    assert float(high) == pytest.approx(expected["upper"], rel=1e-10)


def test_beta_interval_equals_r():
    """The design has clusters: only the interval is tested, from R's estimate and error."""
    expected = ITEMS["clus1.ciprop.beta"]["values"][0]
    clusters = pd.read_csv(FOLDER / "data" / "apiclus1.csv")["dnum"]
    any_share = survey.share(
        survey.Design.from_sample([1, 2], ["h", "h"], [1.0, 1.0]), np.array([0.0, 1.0])
    )
    e = replace(
        any_share,
        estimate=np.array(expected["estimate"]),
        se=np.array(expected["se"]),
        n=np.array(len(clusters)),
        df=np.array(clusters.nunique() - 1),
    )
    low, high = survey.share_interval(e)
    assert float(low) == pytest.approx(expected["lower"], rel=1e-10)
    assert float(high) == pytest.approx(expected["upper"], rel=1e-10)


def test_variances_of_one_wave_equal_the_textbook():
    item = ITEMS["panel.textbook.overlapcov"]
    data = read(item)
    expected = {value["label"]: value["estimate"] for value in item["values"]}
    panel = ITEMS["panel.vcov"]
    for wave, rows in data.groupby("wave"):
        e = simple("mean", design(panel, rows), rows, "y")
        assert float(e.se) ** 2 == pytest.approx(expected[f"V{wave}"], rel=1e-10)
