import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey
from pipeline.survey.calibration import (
    CalibrationError,
    calibrate,
    post_stratify,
    rake,
    weight_problems,
)
from pipeline.survey.design import Stage
from pipeline.survey.trimming import trim
from pipeline.survey.weight_quality import kish_design_effect

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "statistics"


def sample(weights, strata=None, population=None):
    n = len(weights)
    strata = np.zeros(n) if strata is None else strata
    return survey.Design.from_sample(np.arange(n), strata, weights, population)


# Worked by hand


def test_post_stratification_by_hand():
    # Cell a: weights 2, 2 for 10 units, factor 10/4; b: weights 3, 1 for 6, factor 6/4.
    design = post_stratify(sample([2.0, 3, 2, 1]), ["a", "b", "a", "b"], {"a": 10, "b": 6})
    assert design.weights == pytest.approx([5, 4.5, 5, 1.5], rel=1e-15)


def test_raking_by_hand():
    # One unit in each cell of a 2 x 2 table. Weights before 2 1 / 1 2 have the odds ratio 4, which
    # raking keeps; with rows 50, 40 and columns 60, 30 that is 40 10 / 20 20: 40*20 / (10*20) = 4.
    data = pd.DataFrame({"r": [1, 1, 2, 2], "c": ["x", "y", "x", "y"]})
    margins = {"r": {1: 50, 2: 40}, "c": {"x": 60, "y": 30}}
    design = sample([2.0, 1, 1, 2])
    assert rake(design, data, margins).weights == pytest.approx([40, 10, 20, 20], rel=1e-14)
    same = calibrate(design, data, margins, method="raking")
    assert same.weights == pytest.approx([40, 10, 20, 20], rel=1e-14)


HAND = pd.DataFrame({"x": [1.0, 2, 3], "one": 1.0})


def test_regression_estimator_by_hand():
    # d = 2, x = 1 2 3; wanted: 6 units, x sums to 14 (the weights give 6 and 12: short 0 and 2).
    # sum(d x x') = (6 12 / 12 28), determinant 24; b = (28*0 - 12*2, -12*0 + 6*2) / 24 = (-1, 1/2);
    # g = 1 - 1 + x/2 = 1/2, 1, 3/2; w = 1 2 3.
    # y = 1 3 2: mean 2, slope (-1*-1 + 1*0)/2 = 1/2, residuals -1/2 1 -1/2; z = w e = -1/2 2 -3/2,
    # of mean 0: var = (1 - 3/6) * 3/2 * (1/4 + 4 + 9/4) = 4.875; total 1 + 6 + 6 = 13.
    design = calibrate(sample([2.0, 2, 2], population={0: 6}), HAND, {"one": 6, "x": 14})
    assert design.weights == pytest.approx([1, 2, 3], rel=1e-15)
    e = survey.total(design, [1, 3, 2])
    assert float(e.estimate) == pytest.approx(13, rel=1e-15)
    assert float(e.se) ** 2 == pytest.approx(4.875, rel=1e-13)


@pytest.mark.parametrize("method", ["linear", "raking"])
@pytest.mark.parametrize("high", [1.6, 2.0])
def test_bounds_by_hand(method, high):
    # As above; all solutions are (1, 2, 3) + t (1, -2, 1). g1 = w1/2 >= 0.6 needs t >= 0.2, and
    # t = 0.2 is nearest: w = 1.2 1.6 3.2, g = 0.6 0.8 1.6, also where both bounds are reached.
    # Raking meets the bound too: without bounds it has g = a b^x, g1 g3 = g2^2, so with
    # w = (1 + t, 2 - 2t, 3 + t): (1 + t)(3 + t) = 4 (1 - t)^2, 3t^2 - 12t + 1 = 0,
    # t = 2 - sqrt(11/3) = 0.0851 < 0.2.
    given_bounds = calibrate(
        sample([2.0, 2, 2]), HAND, {"one": 6, "x": 14}, method=method, bounds=(0.6, high)
    )
    assert given_bounds.weights == pytest.approx([1.2, 1.6, 3.2], rel=1e-12)


def test_exponential_distance_by_hand():
    t = 2 - np.sqrt(11 / 3)  # see above
    design = calibrate(sample([2.0, 2, 2]), HAND, {"one": 6, "x": 14}, method="raking")
    assert design.weights == pytest.approx([1 + t, 2 - 2 * t, 3 + t], rel=1e-13)


def test_bounds_of_each_unit():
    # As above, but the weight of the first unit must not be below 1.2: its g not below 0.6.
    design = sample([2.0, 2, 2])
    bounds = (np.array([1.2, 0.5, 0.5]) / design.weights, np.inf)
    w = calibrate(design, HAND, {"one": 6, "x": 14}, bounds=bounds).weights
    assert w == pytest.approx([1.2, 1.6, 3.2], rel=1e-13)


def test_ratio_estimator_by_hand():
    # With the total 24 of x and variance x all weights grow by 24 / 12: the ratio estimator.
    # y = 1 3 2: R = 6/6 = 1, e = y - x = 0 1 -1, z = 4 e: var = 3/2 * 32 = 48 (no correction).
    design = calibrate(sample([2.0, 2, 2]), HAND, {"x": 24}, variance=HAND["x"])
    assert design.weights == pytest.approx([4, 4, 4], rel=1e-15)
    assert float(survey.total(design, [1, 3, 2]).se) ** 2 == pytest.approx(48, rel=1e-13)


# Against R survey 4.1, on made-up data


def made_up():
    i = np.arange(24)
    data = pd.DataFrame(
        {
            "size": np.array(["large", "medium", "small"])[2 * i % 3],
            "region": np.array(["north", "south"])[i // 3 % 2],
            "emp": 10.0 + (i * i * 37) % 91,
            "y": (i * 53 % 29) / 2 + i,
        }
    )
    return data, sample(np.array([5, 7.5])[i % 2], np.array(["a", "b"])[i % 2], {"a": 60, "b": 90})


SIZE = {"large": 50, "medium": 45, "small": 55}
REGION = {"north": 80, "south": 70}
ALL = {"size": SIZE, "region": REGION, "emp": 8200}
CELLS = {
    ("large", "north"): 26,
    ("medium", "north"): 24,
    ("small", "north"): 25,
    ("large", "south"): 25,
    ("medium", "south"): 26,
    ("small", "south"): 24,
}
CASES = {
    "post_stratify": lambda d, data: post_stratify(d, data["size"], SIZE),
    "rake": lambda d, data: rake(d, data, {"size": SIZE, "region": REGION}),
    "linear": lambda d, data: calibrate(d, data, ALL),
    "raking": lambda d, data: calibrate(d, data, ALL, method="raking"),
    "logit": lambda d, data: calibrate(d, data, ALL, method="logit", bounds=(0.5, 1.8)),
    "linear bounded": lambda d, data: calibrate(d, data, ALL, bounds=(0.72, 1.45)),
    "raking bounded": lambda d, data: calibrate(d, data, ALL, method="raking", bounds=(0.65, 1.5)),
    "ratio": lambda d, data: calibrate(d, data, {"emp": 8200}, variance=data["emp"]),
    "variance": lambda d, data: calibrate(d, data, ALL, variance=data["emp"]),
    "crossing": lambda d, data: calibrate(d, data, {("size", "region"): CELLS}),
    "trimmed": lambda d, data: trim(calibrate(d, data, ALL), lower=5, upper=8),
    "trimmed once": lambda d, data: trim(calibrate(d, data, ALL), lower=5, upper=8, strict=False),
}
R = {  # total, mean and mean in the south of y, each with its standard error; sum of w^2
    "post_stratify": [
        *(2767.0, 213.64947396909906, 18.446666666666665, 1.42432982646066),
        *(16.806962025316455, 1.7363946543633388, 981.5),
    ],
    "rake": [
        *(2796.428359468765, 215.14257486169527, 18.642855729791766, 1.4342838324113019),
        *(16.807740902149025, 1.7469909027394415, 984.9946176229589),
    ],
    "linear": [
        *(2755.4382746826714, 215.0965003755439, 18.36958849788448, 1.433976669170293),
        *(16.95869388668032, 1.7956832580454043, 992.4427742943593),
    ],
    "raking": [
        *(2743.5076326492963, 215.97633453419832, 18.29005088432856, 1.439842230227983),
        *(16.931443753288082, 1.7774116542883875, 993.3060562325774),
    ],
    "logit": [
        *(2752.719482296016, 214.59002299324916, 18.351463215306552, 1.4306001532883108),
        *(16.9534965695391, 1.7795318367427007, 993.2777806078601),
    ],
    "linear bounded": [
        *(2758.054701248509, 213.78302325209694, 18.38703134165673, 1.4252201550139798),
        *(16.97725457754968, 1.7776278070364966, 994.2742828301817),
    ],
    "raking bounded": [
        *(2748.664074435874, 214.8618467247284, 18.324427162904918, 1.4324123114981184),
        *(16.942840655796306, 1.779325436097966, 993.7718790378848),
    ],
    "ratio": [
        *(2685.408618127786, 267.69063932522556, 18.366666666666667, 1.4446540251995466),
        *(16.75, 1.7829387927341656, 926.3650594243248),
    ],
    "variance": [
        *(2693.6114432051063, 211.27650627256443, 17.957409621367376, 1.4085100418170962),
        *(16.827722223504647, 1.689585078080689, 986.1140913641551),
    ],
    "trimmed": [
        *(2760.8140359918734, 217.448107213229, 18.40542690661249, 1.4243817883266545),
        *(17.02308900631108, 1.7901730736799717, 966.7354606863777),
    ],
    "trimmed once": [
        *(2760.8447335557585, 217.28480377259731, 18.40563155703839, 1.4239526236795983),
        *(17.023192575447467, 1.7902111941518546, 966.928639399276),
    ],
    "crossing": [
        *(2757.2499999999995, 216.6351614623493, 18.381666666666668, 1.4442344097489959),
        *(16.729999999999997, 1.7064420425096316, 938.4999999999998),
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_made_up_data_as_r(name):
    data, plain = made_up()
    design = CASES[name](plain, data)
    y, south = data["y"], data["region"] == "south"
    estimates = survey.total(design, y), survey.mean(design, y), survey.mean(design, y, south)
    computed = [float(x) for e in estimates for x in (e.estimate, e.se)]
    assert [*computed, float((design.weights**2).sum())] == pytest.approx(R[name], rel=1e-10)


# Against R survey 4.1, on its own data


def oracle():
    path = FOLDER / "oracle.json"
    return {i["id"]: i for i in json.loads(path.read_text())["items"]} if path.exists() else {}


def read(name):
    return pd.read_csv(FOLDER / "data" / f"{name}.csv")


TYPE = {"E": 4421, "H": 755, "M": 1018}
WIDE = {"No": 1072, "Yes": 5122}
AWARDS = {"No": 2027, "Yes": 4167}
GROWN = {"stype": TYPE, "api99": 3914069}
SCHOOLS = {
    "c1ps": lambda d, x: post_stratify(d, x["stype"], TYPE),
    "c1rake": lambda d, x: rake(d, x, {"stype": TYPE, "sch.wide": WIDE}),
    "c1calrake": lambda d, x: calibrate(d, x, {"stype": TYPE, "sch.wide": WIDE}, method="raking"),
    "c1lin2": lambda d, x: calibrate(d, x, {"stype": TYPE, "sch.wide": WIDE}),
    "c1greg": lambda d, x: calibrate(d, x, GROWN),
    "c1raking99": lambda d, x: calibrate(d, x, GROWN, method="raking"),
    "c1logit": lambda d, x: calibrate(d, x, GROWN, method="logit", bounds=(0.5, 2.0)),
    "c1linb": lambda d, x: calibrate(d, x, GROWN, bounds=(0.6, 1.6)),
    "c1ratio": lambda d, x: calibrate(d, x, {"api99": 3914069}, variance=x["api99"]),
    "trim": lambda d, x: trim(calibrate(d, x, GROWN), lower=20, upper=45),
}


def by_level():
    table = read("firms_margins")
    return {
        m: table[table["margin"] == m].set_index("level")["N"].to_dict()
        for m in ("sector", "size", "region")
    }


FIRMS = {
    "dfr": lambda d, x: rake(d, x, by_level()),
    "dfg": lambda d, x: calibrate(d, x, {**by_level(), "emp": 572994}),
    "dfl": lambda d, x: calibrate(
        d, x, {**by_level(), "emp": 572994}, method="logit", bounds=(0.2, 4.0)
    ),
}


def case(name):
    """The calibrated design and the data of a result of R; None where it is of another kind."""
    key = name.split(".")[1 if name.count(".") > 1 or name.startswith("cal") else 0]
    if name.startswith("cal.c1") or name == "trim.weights":
        x = read("apiclus1")
        d = survey.Design.from_stages([Stage(x["dnum"], None, x["fpc"])], weights=x["pw"])
        return SCHOOLS[key](d, x), x
    if name.startswith("firms.df") and key in FIRMS:
        x = read("firms")
        sizes = x.groupby("stratum")["N_h"].first().to_dict()
        return FIRMS[key](sample(x["w0"], x["stratum"], sizes), x), x
    if name.startswith("cal.srake"):
        x = read("apistrat")
        d = sample(x["pw"], x["stype"], x.groupby("stype")["fpc"].first().to_dict())
        return rake(d, x, {"awards": AWARDS, "sch.wide": WIDE}), x
    if name.startswith(("panel.calibrated", "panel.raked")):
        x = read("panel_two_waves")
        d = survey.Design.from_stages([Stage(x["firm"], x["stype"])], weights=x["w"])
        by_wave = {
            ("wave", column): {(w, k): n for w in (1, 2) for k, n in counts.items()}
            for column, counts in (("stype", TYPE), ("awards", AWARDS))
        }
        raked = name.startswith("panel.raked")
        return (rake(d, x, by_wave) if raked else calibrate(d, x, by_wave, method="raking")), x
    return None


def computed(name, call, design, x):
    """Estimates by R's labels; R's na.rm is a domain."""

    def mean(column, domain=True):
        y = x[column]
        inside = y.notna().to_numpy() & np.asarray(domain)
        return survey.mean(design, y.fillna(0), inside)

    if call.startswith("weights"):
        w = design.weights
        return {
            "sum": w.sum(),
            "sumsq": (w**2).sum(),
            "min": w.min(),
            "max": w.max(),
            "kish_deff": kish_design_effect(w),
        }
    if "change" in name:
        inside = (x["awards"] == "Yes") if "domain" in name else np.ones(len(x), dtype=bool)
        a, b = (mean("y", (x["wave"] == w) & inside) for w in (1, 2))
        return {"contrast": survey.change(a, b)}
    if "svyby" in call:
        variables, by = call.removeprefix("svyby(~").split(", ")[:2]
        groups = x[by.removeprefix("~")]
        names = variables.split("+")
        return {
            f"{g}:{v}" if len(names) > 1 else f"{g}": mean(v, groups == g)
            for v in names
            for g in groups.unique()
        }
    variables = call.split("(~")[1].split(",")[0].rstrip(")").split("+")
    if "svyratio" in call:
        below = call.split("~")[2].split(",")[0]
        e = survey.ratio(design, x[variables[0]], x[below])
        return {f"{variables[0]}/{below}": e}
    if "svyciprop" in call:
        y = x["cloud"] if "cloud" in x else x["comp.imp"] == "Yes"
        return {"prop": survey.mean(design, y)}
    if "svytotal" in call:
        return {v: survey.total(design, x[v]) for v in variables}
    return {v: mean(v) for v in variables}


CHOSEN = [
    name
    for name, item in oracle().items()
    if name.startswith(("cal.", "trim.", "firms.df", "panel.calibrated", "panel.raked"))
    if "firms.df0" not in name and "quantile" not in item["call"]
]


@pytest.mark.skipif(not CHOSEN, reason="reference results of R are not there")
@pytest.mark.parametrize("name", CHOSEN)
def test_data_of_r(name):
    item = oracle()[name]
    found = computed(name, item["call"], *case(name))
    for value in item["values"]:
        e = found[value["label"]]
        estimate, se = (e, None) if value["se"] is None else (e.estimate, e.se)
        assert float(estimate) == pytest.approx(value["estimate"], rel=1e-10)
        if se is not None:
            assert float(se) == pytest.approx(value["se"], rel=1e-10)


@pytest.mark.skipif(not CHOSEN, reason="reference results of R are not there")
def test_weights_of_r_unit_by_unit():
    for table, cases in (("apiclus1_calibrated_weights", SCHOOLS), ("firms_weights", FIRMS)):
        expected = read(table)
        names = {"dfr": "w_rake", "dfg": "w_greg", "dfl": "w_logit"}
        for key in cases:
            column = names.get(key, key)
            if column in expected:
                prefix = "firms" if key in FIRMS else "cal"
                weights = case(f"{prefix}.{key}.x")[0].weights
                assert weights == pytest.approx(expected[column].to_numpy(), rel=1e-10)
    trimmed = case("trim.weights")[0].weights
    assert trimmed == pytest.approx(read("apiclus1_trimmed_weights")["ctrim"], rel=1e-10)
    assert len(CHOSEN) >= 45


# What always holds


@st.composite
def problems(draw):
    """Data, weights and totals that some factors in (0.6, 1.7) meet."""
    n = draw(st.integers(8, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    data = pd.DataFrame(
        {
            "a": rng.integers(0, 3, n),
            "b": rng.choice(["x", "y"], n),
            "emp": np.exp(rng.normal(3, 1, n)),
        }
    )
    weights = np.exp(rng.normal(1, 0.5, n))
    return data, weights, margins_of(data, weights * rng.uniform(0.6, 1.7, n))


def margins_of(data, weights):
    w = pd.Series(weights)
    return {
        "a": w.groupby(data["a"]).sum().to_dict(),
        ("a", "b"): w.groupby([data["a"], data["b"]]).sum().to_dict(),
        "emp": float((w * data["emp"]).sum()),
    }


ANY = pytest.mark.parametrize(
    ("method", "bounds"),
    [
        ("linear", (0.5, 1.8)),
        ("raking", None),
        ("raking", (0.5, 1.8)),
        ("logit", (0.5, 1.8)),
    ],
)


def assert_met(margins, data, weights):
    for key, total in margins_of(data, weights).items():
        assert total == pytest.approx(margins[key], rel=1e-12)


@ANY
@given(problem=problems())
@settings(max_examples=60, deadline=None)
def test_totals_are_met_within_the_bounds(method, bounds, problem):
    data, d, margins = problem
    weights = calibrate(sample(d), data, margins, method=method, bounds=bounds).weights
    assert_met(margins, data, weights)
    low, high = bounds or (0, np.inf)
    assert (weights / d).min() >= low * (1 - 1e-15)
    assert (weights / d).max() <= high * (1 + 1e-15)


@ANY
@given(problem=problems(), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_order_unit_and_scale_do_not_matter(method, bounds, problem, seed):
    data, d, margins = problem
    arguments = {"method": method, "bounds": bounds}
    weights = calibrate(sample(d), data, margins, **arguments).weights
    order = np.random.default_rng(seed).permutation(len(d))
    shuffled = calibrate(
        sample(d[order]), data.iloc[order].reset_index(drop=True), margins, **arguments
    )
    assert shuffled.weights == pytest.approx(weights[order], rel=1e-9)
    thousands = data.assign(emp=data["emp"] / 1000)
    other_unit = calibrate(
        sample(d), thousands, {**margins, "emp": margins["emp"] / 1000}, **arguments
    )
    assert other_unit.weights == pytest.approx(weights, rel=1e-9)
    twice = {
        key: 2 * m if key == "emp" else {k: 2 * n for k, n in m.items()}
        for key, m in margins.items()
    }
    doubled = calibrate(sample(2 * d), data, twice, **arguments)
    assert doubled.weights == pytest.approx(2 * weights, rel=1e-9)


@ANY
@given(problem=problems())
@settings(max_examples=25, deadline=None)
def test_calibrated_totals_have_no_variance(method, bounds, problem):
    data, d, margins = problem
    design = calibrate(sample(d), data, margins, method=method, bounds=bounds)
    for y in (data["emp"], data["a"] == 1, (data["a"] == 0) & (data["b"] == "x")):
        e = survey.total(design, np.asarray(y, dtype=float))
        assert float(e.se) <= 1e-11 * np.abs(design.weights * y).sum()


@given(problem=problems())
@settings(max_examples=25, deadline=None)
def test_raking_is_calibration_with_the_exponential_distance(problem):
    data, d, margins = problem
    b = pd.Series(margins["a", "b"]).groupby(level=1).sum().to_dict()
    counts = {"a": margins["a"], "b": b}
    raked = rake(sample(d), data, counts)
    other = calibrate(sample(d), data, counts, method="raking")
    assert raked.weights == pytest.approx(other.weights, rel=1e-13)


def test_met_totals_change_nothing():
    data, design = made_up()
    margins = {"emp": float((design.weights * data["emp"]).sum())}
    for method, bounds in (("linear", None), ("raking", None), ("logit", (0.5, 2))):
        same = calibrate(design, data, margins, method=method, bounds=bounds)
        assert same.weights == pytest.approx(design.weights, rel=1e-14)


def test_units_without_a_weight_stay_without():
    data = HAND.assign(x=[1.0, 2, np.nan], c=["a", "a", None])
    design = sample([2.0, 2, 0])
    assert list(calibrate(design, data, {"c": {"a": 6}}).weights) == [3, 3, 0]
    assert list(rake(design, data, {"c": {"a": 6}}).weights) == [3, 3, 0]
    assert calibrate(design, data, {"x": 9.0}).weights[2] == 0
    e = survey.total(calibrate(design, data, {"c": {"a": 6}}), [1, 1, 5])
    assert (float(e.estimate), float(e.se)) == (6, 0)


# The variance of a chain


def test_variance_of_a_chain_is_that_of_repeated_samples():
    # 400 of 2000 firms, post-stratified by size, then calibrated on employees, 300 times: their
    # variance has a standard error of sqrt(2/300) = 8 %. With the first residual first, as R does,
    # it comes out 1.6 times too large here.
    rng = np.random.default_rng(11)
    size = rng.choice(3, 2000, p=[0.6, 0.3, 0.1])
    emp = np.exp(rng.normal(3, 0.5, 2000) + size)
    y = 2 * emp * np.exp(rng.normal(0, 0.4, 2000)) + 20 * (size == 1)
    counts = dict(enumerate(np.bincount(size)))
    totals, estimated = [], []
    for _ in range(300):
        chosen = np.sort(rng.choice(2000, 400, replace=False))
        data = pd.DataFrame({"emp": emp[chosen], "one": 1.0})
        design = survey.Design.from_sample(chosen, np.zeros(400), np.full(400, 5.0), {0: 2000})
        design = post_stratify(design, size[chosen], counts)
        design = calibrate(design, data, {"one": 2000, "emp": emp.sum()})
        e = survey.total(design, y[chosen])
        totals.append(float(e.estimate))
        estimated.append(float(e.se) ** 2)
    assert np.mean(totals) == pytest.approx(y.sum(), rel=0.002)
    assert np.mean(estimated) == pytest.approx(np.var(totals), rel=0.2)
    wrong = replace(design, adjustments=design.adjustments[::-1])
    assert float(survey.total(wrong, y[chosen]).se) ** 2 > 1.3 * estimated[-1]


# What is wrong is said


def table():
    return pd.DataFrame(
        {
            "size": ["1", "1", "2", "4", "4", "4"],
            "field": ["x", "y", "x", "y", "x", "y"],
            "emp": [1.0, 2, 3, 4, 5, 6],
        }
    )


def test_dependent_totals_that_disagree_are_named():
    data = table().assign(more=lambda t: 2 * t["emp"] + 1)
    with pytest.raises(CalibrationError, match=r"'emp', 'more'.* contradict each other"):
        calibrate(sample(np.ones(6)), data, {"field": {"x": 10, "y": 12}, "emp": 80, "more": 100})


def test_more_totals_than_units_are_named():
    data = pd.DataFrame({"a": [1.0, 2], "b": [1.0, 4], "c": [1.0, 8]})
    with pytest.raises(CalibrationError, match="more than 2 distinct respondents can meet"):
        calibrate(sample([1.0, 1]), data, {"a": 4, "b": 5, "c": 20})


def test_bounds_that_are_too_narrow_are_explained():
    # w = (1, 2, 3) + t (1, -2, 1), g = w / 2 (see the regression estimator by hand). g1 >= 0.6
    # needs t >= 0.2, then g3 = 1.6; g3 <= 1.5 needs t <= 0, then g1 = 0.5.
    with pytest.raises(CalibrationError) as caught:
        calibrate(sample([2.0, 2, 2]), HAND, {"one": 6, "x": 14}, bounds=(0.6, 1.5))
    assert "the total 14 of 'x' cannot be met" in str(caught.value)
    assert "a little more than (0.6, 1.6) or (0.5, 1.5)" in str(caught.value)


def test_totals_out_of_reach_of_any_weights_are_explained():
    with pytest.raises(CalibrationError) as caught:
        calibrate(sample([2.0, 2, 2]), HAND, {"one": 6, "x": 24}, method="raking")
    assert "the total 24 of 'x' cannot be met: the nearest is 18" in str(caught.value)
    assert "bounds that would do" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bounds": (2, 1)}, "lower bound must be below"),
        ({"method": "logit"}, "needs bounds"),
        ({"method": "logit", "bounds": (1, 2)}, "low < 1 < high"),
        ({"variance": [1, 0, 1]}, "variance must be positive"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(CalibrationError, match=message):
        calibrate(sample([2.0, 2, 2]), HAND, {"one": 6}, **arguments)


def test_negative_weights_are_refused():
    # As by hand, but x sums to 17: b = (28*0 - 12*5, 6*5) / 24 = (-2.5, 1.25), g1 = -0.25.
    with pytest.raises(CalibrationError, match=r"1 weights would be negative, the lowest -0.5"):
        calibrate(sample([2.0, 2, 2]), HAND, {"one": 6, "x": 17})


def test_raking_takes_no_totals():
    with pytest.raises(CalibrationError, match="counts only"):
        rake(sample(np.ones(6)), table(), {"emp": 80})


def test_rows_must_be_those_of_the_design():
    with pytest.raises(CalibrationError, match="3 rows, the design 2"):
        calibrate(sample([1.0, 1]), HAND, {"one": 6})


# What to watch


def test_sound_weights_have_no_problems():
    data, design = made_up()
    assert weight_problems(design) == []
    assert weight_problems(post_stratify(design, data["region"], {"north": 80, "south": 70})) == []


def test_too_many_constraints_are_a_finding():
    data, design = made_up()
    found = weight_problems(calibrate(design, data, ALL))  # 3 sizes + 2 regions - 1 + emp = 5
    assert found[0].startswith("5 constraints for 24 units: no more than 2")
    raked = weight_problems(rake(design, data, {"size": SIZE, "region": REGION}))
    assert raked[0].startswith("4 constraints for 24 units")


def test_weights_below_one_are_a_finding_in_a_census():
    ids = np.arange(30)
    design = survey.Design.from_frame(ids, np.zeros(30), ids < 20)
    cells = np.where(ids[:20] < 10, "a", "b")
    low = post_stratify(design, cells, {"a": 8, "b": 22})
    assert weight_problems(low) == [
        "10 weights are below 1, the lowest 0.8: collapse categories, or calibrate with "
        "bounds=(1 / design.weights, inf)"
    ]


def test_totals_that_no_longer_hold_are_a_finding():
    # South 70 after raking; trimming and a second calibration on emp alone both move it.
    data, design = made_up()
    first = post_stratify(design, data["region"], REGION)
    second = calibrate(first, data, {"emp": 9000})
    missed = abs(second.weights[data["region"] == "south"].sum() / 70 - 1)
    north = abs(second.weights[data["region"] == "north"].sum() / 80 - 1)
    assert f"calibration 1 of 2 are missed by up to {max(missed, north):.2%}" in str(
        weight_problems(second)
    )
    raked = rake(design, data, {"region": REGION})
    assert "are missed" in str(weight_problems(trim(raked, upper=7)))


def test_units_that_count_for_nothing_are_a_finding():
    # 6 units whose x sums to 18 must all have x = 3; raking nears the weights 0, 0, 6.
    design = calibrate(sample([2.0, 2, 2]), HAND, {"one": 6, "x": 18}, method="raking")
    assert design.weights == pytest.approx([0, 0, 6], abs=1e-9)
    assert "2 weights are practically 0" in str(weight_problems(design))
