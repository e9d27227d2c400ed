"""Every reference result of R survey 4.1, read from R's own calls and worked out by this library.

`r_language` reads the grammar, `r_designs` the design and `r_calls` the estimate, so that further
results of the same kinds need no further test. The results on made-up firms are in `data` here and
are tested everywhere; those on the data of R's packages where these are at hand.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from r_calls import evaluate
from r_designs import sample_of, table
from r_tables import same

from pipeline import survey
from pipeline.survey.calibration import calibrate, rake
from pipeline.survey.replicates import jackknife

HERE = Path(__file__).parent / "data"
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "statistics"
FIRMS = json.loads((HERE / "firms.json").read_text())["items"]
ALL = json.loads((SHARED / "oracle.json").read_text())["items"] if SHARED.exists() else FIRMS
ITEMS = {item["id"]: item for item in ALL}

TESTS = "tests of models and ranks are no part of a benchmark report"
SCORE = (
    "R turns the ends found into shares without weights and those into quantiles with weights, so "
    "the interval can miss its own estimate (enroll: 446 in 365 to 424)"
)
LEFT_OUT = {
    "strat.chisq.F": TESTS,
    "strat.chisq.Chisq": TESTS,
    "strat.ranktest": TESTS,
    "strat.quantile.score.api00": SCORE,
    "strat.quantile.score.enroll": SCORE,
    "strat.quantile.qrule.shahvaish": "R takes weights of any size for weights with mean 1",
    "clus1.ciprop.likelihood": (
        "R reads the ends off a spline through a few points of the profile: 0.00066392 below, "
        "0.00066533 with a hundred times as many"
    ),
}
COVERED = [name for name in ITEMS if name not in LEFT_OUT]

needs_r_data = pytest.mark.skipif(not SHARED.exists(), reason="the data of R's packages are absent")


def folder_of(item):
    """Data of the firms come from here, so that they are what is tested."""
    return HERE if item["dataset"] == "firms" else SHARED / "data"


def tolerances(item):
    """Of estimates and errors, and of interval ends; larger where R stops iterating early.

    There R's ends are off by 5.1e-10 in the worst case: its own method xlogit, the same interval
    without iteration, agrees with this library to 1e-14.
    """
    iterates = "svyciprop" in item["call"] and "method='logit'" in item["call"]
    return (5e-10, 1e-9) if iterates else (1e-10, 1e-10)


def kept(item):
    """The values to compare: for the rules of quantiles the first, as the others repeat it.

    R gives another value at each p (asked one by one and all at once); what made the results wrote
    the one at the first p for all.
    """
    values = item["values"]
    repeated = "qrule" in item["call"] and len({v["estimate"] for v in values}) == 1
    return values[:1] if repeated else values


@pytest.mark.parametrize("name", COVERED)
def test_equals_r(name):
    item = ITEMS[name]
    if name == "panel.textbook.overlapcov":
        found, extra = textbook(), {}
    else:
        result = evaluate(item, folder_of(item))
        found, extra = result.rows(), result.extra or {}
    found = {same(label): row for label, row in found.items()}
    near, ends = tolerances(item)
    for value in kept(item):
        row = found[same(value["label"])]
        for column, tolerance in (
            ("estimate", near),
            ("se", near),
            ("lower", ends),
            ("upper", ends),
        ):
            if value.get(column) is not None:
                expected = pytest.approx(value[column], rel=tolerance, abs=0)
                assert row[column] == expected, (value["label"], column)
    for key, value in item.get("extra", {}).items():
        assert extra[key] == pytest.approx(value, rel=1e-10), key


@needs_r_data
def test_every_result_is_covered_or_left_out_for_a_reason():
    assert set(LEFT_OUT) <= set(ITEMS)
    assert set(COVERED) | set(LEFT_OUT) == set(ITEMS)
    assert len(ITEMS) == len(ALL) == len(COVERED) + len(LEFT_OUT)
    assert len(ALL) >= 127
    assert all(LEFT_OUT.values())


@needs_r_data
def test_results_kept_here_are_the_reference():
    assert [item for item in ALL if item["dataset"] == "firms"] == FIRMS
    for file in ("firms.csv", "firms_margins.csv", "firms_weights.csv"):
        assert (HERE / file).read_bytes() == (SHARED / "data" / file).read_bytes()


def test_repeated_values_are_those_of_the_rules_of_quantiles_only():
    """The one place where values of a result are passed over."""
    passed_over = {name for name in COVERED if kept(ITEMS[name]) != ITEMS[name]["values"]}
    assert all(name.startswith("strat.quantile.qrule.") for name in passed_over)


# Weights, unit by unit


@pytest.mark.parametrize(
    ("name", "column"), [("dfr.mean", "w_rake"), ("dfg.weights", "w_greg"), ("dfl.mean", "w_logit")]
)
def test_weights_of_the_firms_equal_r(name, column):
    sample = sample_of(ITEMS[f"firms.{name}"], HERE)
    expected = table(HERE, "firms_weights")[column].to_numpy()
    assert sample.design.weights == pytest.approx(expected, rel=1e-10, abs=0)


SCHOOLS = {re.split(r"[.]", name)[1]: name for name in ITEMS if name.startswith("cal.c1")}


@needs_r_data
@pytest.mark.parametrize("column", sorted(SCHOOLS))
def test_calibrated_weights_equal_r(column):
    sample = sample_of(ITEMS[SCHOOLS[column]], SHARED / "data")
    expected = table(SHARED / "data", "apiclus1_calibrated_weights")[column].to_numpy()
    # R stops the bounded linear one, alone, where totals are met to 1e-9.
    near = 1e-9 if column == "c1linb" else 1e-10
    assert sample.design.weights == pytest.approx(expected, rel=near, abs=0)


@needs_r_data
def test_trimmed_weights_equal_r():
    sample = sample_of(ITEMS["trim.weights"], SHARED / "data")
    expected = table(SHARED / "data", "apiclus1_trimmed_weights")["ctrim"].to_numpy()
    assert sample.design.weights == pytest.approx(expected, rel=1e-10, abs=0)


@needs_r_data
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("strat.mean", "rep_apistrat_jkn"),
        ("strat.mean.nofpc", "rep_apistrat_jkn_nofpc"),
        ("clus1.mean", "rep_apiclus1_jk1"),
    ],
)
def test_jackknife_makes_the_replicates_of_r(name, file):
    """Up to their order; those of one stratum, JK1, have one scale instead of the rscales."""
    made = jackknife(sample_of(ITEMS[name], SHARED / "data").design)
    columns = table(SHARED / "data", file).to_numpy()
    rscales = table(SHARED / "data", f"{file}_rscales")["rscales"].to_numpy()
    scale = 0.91483927785116681 if "jk1" in file else 1.0

    def in_order(weights, scales):
        order = np.lexsort(weights == 0)
        return weights[:, order], scales[order]

    weights, scales = in_order(made.replicate_weights, made.rscales)
    expected, known = in_order(columns, scale * rscales)
    assert weights == pytest.approx(expected, rel=1e-14, abs=0)
    assert scales == pytest.approx(known, rel=1e-14, abs=0)


# Two waves, each with a design of its own. (R, and the test above, have one for both.)

MEAN, RATIO = survey.mean, survey.ratio


def waves(weighted=lambda design, rows: design):
    """Design and rows of each wave."""
    data = table(SHARED / "data", "panel_two_waves")
    result = {}
    for wave, rows in data.groupby("wave"):
        design = survey.Design.from_sample(rows["firm"], rows["stype"], rows["w"])
        result[wave] = (weighted(design, rows.reset_index(drop=True)), rows)
    return result


def of_waves(verb, *columns, award=None, weighted=lambda design, rows: design):
    return [
        verb(d, *(rows[c] for c in columns), None if award is None else rows["awards"] == award)
        for d, rows in waves(weighted).values()
    ]


def per_cent(before, after):
    return survey.function([before, after], lambda a, b: b / a - 1)


MARGINS = {"stype": {"E": 4421, "H": 755, "M": 1018}, "awards": {"No": 2027, "Yes": 4167}}


def calibrated(design, rows):
    return calibrate(design, rows, MARGINS, method="raking")


def raked(design, rows):
    return rake(design, rows, MARGINS)


def did():
    yes, no = (survey.change(*of_waves(MEAN, "y", award=award)) for award in ("Yes", "No"))
    return survey.difference(yes, no)


CHANGES = {
    "change": lambda: survey.change(*of_waves(MEAN, "y")),
    "change.pct": lambda: per_cent(*of_waves(MEAN, "y")),
    "change.total": lambda: survey.change(*of_waves(survey.total, "enroll")),
    "change.ratio.pct": lambda: per_cent(*of_waves(RATIO, "y", "enroll")),
    "change.domain": lambda: survey.change(*of_waves(MEAN, "y", award="Yes")),
    "change.did": did,
    "calibrated.change": lambda: survey.change(*of_waves(MEAN, "y", weighted=calibrated)),
    "calibrated.change.domain": lambda: survey.change(
        *of_waves(MEAN, "y", award="Yes", weighted=calibrated)
    ),
}


@needs_r_data
@pytest.mark.parametrize("name", CHANGES)
def test_change_between_designs_of_their_own_equals_r(name):
    (expected,) = ITEMS[f"panel.{name}"]["values"]
    e = CHANGES[name]()
    assert float(e.estimate) == pytest.approx(expected["estimate"], rel=1e-10, abs=0)
    assert float(e.se) == pytest.approx(expected["se"], rel=1e-10, abs=0)


@needs_r_data
def test_raked_change_is_that_of_one_design_with_both_waves():
    call = "svycontrast(svytotal(~y1+i1+y2+i2, dpanrk), quote(y2/i2-y1/i1))"
    together = evaluate({**ITEMS["panel.raked.by"], "call": call}, SHARED / "data")
    e = survey.change(*of_waves(MEAN, "y", weighted=raked))
    assert float(e.estimate) == pytest.approx(together.estimate[0], rel=1e-10, abs=0)
    assert float(e.se) == pytest.approx(together.se[0], rel=1e-10, abs=0)


def textbook():
    """The change by the book: C12 = sum_h W_h^2 n_c / (n1 n2) s12, s12 of the firms in both waves.

    The covariance of the two means over those n_c firms is W_h^2 s12 / n_c, stratum by stratum.
    """
    (d1, rows1), (d2, rows2) = waves().values()
    v1, v2 = (float(e.se) ** 2 for e in of_waves(MEAN, "y"))
    both = rows1.merge(rows2, on="firm", suffixes=("_1", "_2"))
    size = rows1.groupby("stype")["N_h"].first()
    c12 = 0.0
    for stratum, firms in both.groupby("stype_1"):
        d = survey.Design.from_sample(firms["firm"], firms["stype_1"], np.ones(len(firms)))
        means = [survey.mean(d, firms[column]) for column in ("y_1", "y_2")]
        n1, n2 = ((d.strata[d.codes] == stratum).sum() for d in (d1, d2))
        share = size[stratum] / size.sum()
        c12 += share**2 * len(firms) ** 2 / (n1 * n2) * float(survey.covariance(*means))
    values = {"V1": v1, "V2": v2, "C12": c12, "se_change": np.sqrt(v1 + v2 - 2 * c12)}
    return {label: {"estimate": value} for label, value in values.items()}
