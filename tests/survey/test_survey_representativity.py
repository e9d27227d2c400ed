import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from pipeline.survey.representativity import representativity


def two_groups(a=30, b=15):
    """40 firms of group A, of which a responded, and 60 of group B, of which b did."""
    register = pd.DataFrame({"group": ["A"] * 40 + ["B"] * 60})
    responded = np.r_[np.arange(40) < a, np.arange(60) < b]
    return register, responded


def test_two_groups_by_hand():
    # Rates 0.75 and 0.25, mean 0.45; sum of squares 40 * 0.3^2 + 60 * 0.2^2 = 6; S^2 = 6/99.
    # Each group is fitted by itself, var(p_h) = p (1 - p) / N_h: the bias is the sum of
    # p (1 - p) over groups / N = 2 * 0.1875 / 100. Variance of S^2 (divisor N): the slopes are
    # 2 N_h d_h / N, so 4 * 0.1875 * 6 / 100^2 = 4.5e-4; S^2 = 0.24 (p_A - p_B)^2 with variance
    # 0.1875 / 40 + 0.1875 / 60 = 0.0078125 adds 2 (0.24 * 0.0078125)^2.
    result = representativity(*two_groups())
    variance = 4.5e-4 + 2 * (0.24 * 0.0078125) ** 2
    assert result.response_rate == pytest.approx(0.45, rel=1e-14)
    assert result.r_unadjusted == pytest.approx(1 - 2 * np.sqrt(6 / 99), rel=1e-12)
    assert result.spread == pytest.approx(6 / 99 - 0.00375, rel=1e-10)
    assert result.r == pytest.approx(1 - 2 * np.sqrt(6 / 99 - 0.00375), rel=1e-12)
    assert result.spread_se == pytest.approx(np.sqrt(variance), rel=1e-10)
    assert result.se == pytest.approx(np.sqrt(variance / 0.06), rel=1e-10)
    assert result.max_bias == pytest.approx(np.sqrt(6 / 99 - 0.00375) / 0.45, rel=1e-10)
    # Worst: 45 answer surely and 55 never, S^2 = 0.45 * 0.55 * 100 / 99.
    assert result.lowest == pytest.approx(1 - 2 * np.sqrt(0.2475 * 100 / 99), rel=1e-14)


def test_interval_by_hand():
    result = representativity(*two_groups())
    half = 1.959963984540054 * result.spread_se
    low, high = result.interval()
    assert low == pytest.approx(1 - 2 * np.sqrt(result.spread + half), rel=1e-12)
    assert high == pytest.approx(1 - 2 * np.sqrt(result.spread - half), rel=1e-12)
    narrow = result.interval(0.8)
    assert low < narrow[0] < result.r < narrow[1] < high


def test_partial_indicators_of_one_variable_by_hand():
    # All spread is between groups: sqrt(0.06) (divisor N), with and without the (no) others.
    # Categories: sqrt(0.4) * 0.3 and -sqrt(0.6) * 0.2.
    result = representativity(*two_groups())
    row = result.variables.iloc[0]
    kept = (6 / 99 - 0.00375) / (6 / 99)
    assert (row["variable"], row["categories"]) == ("group", 2)
    for name in ("unconditional", "conditional"):
        assert row[f"{name}_unadjusted"] == pytest.approx(np.sqrt(0.06), rel=1e-12)
        assert row[name] == pytest.approx(np.sqrt(0.06 * kept), rel=1e-10)
    table = result.categories
    assert table["category"].tolist() == ["A", "B"]
    assert table["units"].tolist() == [40, 60]
    assert table["responded"].tolist() == [30, 15]
    assert table["rate"].tolist() == [0.75, 0.25]
    assert table["unconditional"].tolist() == pytest.approx(
        [np.sqrt(0.4) * 0.3, -np.sqrt(0.6) * 0.2], rel=1e-12
    )


def made_up():
    """240 units by rule, which RISQ's R code was given too."""
    i = np.arange(240)
    field, size = i % 4, (i * i + i // 5) % 3
    register = pd.DataFrame({"field": np.array(list("abcd"))[field], "size": size.astype(str)})
    return register, (i * 37 + 17 * field) % 100 < 25 + 9 * field + 8 * size, size


# R, R without adjustment, standard error and partial indicators (unconditional and conditional,
# adjusted) by RISQ 2.0 (de Heij, Schouten and Shlomo 2015) in R 4.2.2, glm converged to 1e-15:
# of a census, and of a simple random sample of one unit in four.
RISQ = [
    (
        1.0,
        [0.7561745293237156, 0.7130425406871459, 0.0625053638271059],
        [0.0957213906622653, 0.0750193818915368],
        [0.0957751502160984, 0.0750879646014356],
    ),
    (
        4.0,
        [0.7561750795709579, 0.7134917308283970, 0.0631038446349283],
        [0.0958712471304406, 0.0751368283633983],
        [0.0959250908474561, 0.0752055184428475],
    ),
]


@pytest.mark.parametrize(("weight", "overall", "alone", "given_others"), RISQ)
def test_results_are_those_of_risq(weight, overall, alone, given_others):
    register, responded, _ = made_up()
    result = representativity(register, responded, np.full(240, weight))
    assert [result.r, result.r_unadjusted, result.se] == pytest.approx(overall, rel=1e-10)
    assert result.variables["unconditional"].tolist() == pytest.approx(alone, rel=1e-10)
    assert result.variables["conditional"].tolist() == pytest.approx(given_others, rel=1e-10)


def test_unequal_weights_enter_as_in_risq():
    # What does not depend on how the sample was drawn: weights 2, 3, 5 by size.
    register, responded, size = made_up()
    result = representativity(register, responded, np.array([2.0, 3.0, 5.0])[size])
    assert result.r_unadjusted == pytest.approx(0.705148827545840, rel=1e-10)
    assert result.response_rate == pytest.approx(0.488031914893617, rel=1e-12)
    unadjusted = result.variables[["unconditional_unadjusted", "conditional_unadjusted"]]
    assert unadjusted.to_numpy() == pytest.approx(
        np.array(
            [[0.1133599744892632, 0.113457360741486], [0.0939831302344926, 0.094100572043377]]
        ),
        rel=1e-10,
    )
    assert result.categories["unconditional"].tolist() == pytest.approx(
        [
            *(-0.0684840425531916, -0.0312499999999999, 0.0166223404255320, 0.0831117021276594),
            *(-0.0571140265616920, -0.0285471302512092, 0.0689628747443466),
        ],
        rel=1e-10,
    )


def test_what_sampling_adds_by_hand():
    # A simple random sample, 100 of 400: the mean propensity has variance (1 - 1/4) s^2 / 100,
    # s^2 = 6/99, which the bias loses; S^2 is 24/399.
    register, responded = two_groups()
    result = representativity(register, responded, np.full(100, 4.0))
    assert result.spread == pytest.approx(24 / 399 - 0.00375 + 0.75 * 6 / 99 / 100, rel=1e-10)
    # S^2 itself: q = (0.09 * 40, 0.04 * 60), mean 0.06, s^2 = (40 * 0.03^2 + 60 * 0.02^2) / 99.
    more = 0.75 * (40 * 0.03**2 + 60 * 0.02**2) / 99 / 100
    census = representativity(register, responded)
    assert result.spread_se**2 == pytest.approx(census.spread_se**2 + more, rel=1e-10)


def test_all_of_a_category_responded():
    # Three fields, of which all of c responded, and two sizes: the likelihood of the others does
    # not depend on c, so their propensities are those without c, and those of c are 1.
    rng = np.random.default_rng(3)
    field = np.repeat(["a", "b", "c"], [50, 40, 10])
    register = pd.DataFrame({"field": field, "size": rng.integers(0, 2, 100).astype(str)})
    responded = (rng.random(100) < 0.4) | (field == "c")
    result = representativity(register, responded)
    rest = representativity(register[field != "c"], responded[field != "c"])
    n, m = rest.response_rate, result.response_rate
    within = ((1 - rest.r_unadjusted) / 2) ** 2 * 89
    between = 90 * (n - m) ** 2 + 10 * (1 - m) ** 2
    assert ((1 - result.r_unadjusted) / 2) ** 2 * 99 == pytest.approx(within + between, rel=1e-9)
    # What is certain adds nothing to the bias: it is that of the rest, spread over more units.
    bias = ((1 - result.r_unadjusted) / 2) ** 2 - result.spread
    alone = ((1 - rest.r_unadjusted) / 2) ** 2 - rest.spread
    assert bias * 100 == pytest.approx(alone * 90, rel=1e-8)
    assert result.categories.set_index("category").loc["c", "rate"] == 1


def test_steps_that_go_too_far_are_shortened():
    # 0 of 7, 0 of 1 and 1 of 2: from the overall rate 0.1 Newton's step for the last group is
    # 0.4 / 0.09 = 4.4 on the logit, beyond the other side, and the next ones further still.
    # Rate 0.1: sum of squares 8 * 0.1^2 + 2 * 0.4^2 = 0.4.
    register = pd.DataFrame({"group": ["a"] * 7 + ["b"] + ["c"] * 2})
    result = representativity(register, np.arange(10) == 9)
    assert result.r_unadjusted == pytest.approx(1 - 2 * np.sqrt(0.4 / 9), rel=1e-9)


def test_propensities_that_do_not_settle_are_an_error(monkeypatch):
    monkeypatch.setattr("pipeline.survey.propensities._STEPS", 2)
    with pytest.raises(ValueError, match="after 2 steps: merge rare categories"):
        representativity(*two_groups())


def test_a_variable_that_decides_the_response():
    # S^2 = 0.4 * 0.6 * 100 / 99, the most that this response rate allows; no chance is left.
    result = representativity(*two_groups(40, 0))
    assert result.r == pytest.approx(result.lowest, abs=1e-9)
    assert result.r == pytest.approx(1 - 2 * np.sqrt(0.24 * 100 / 99), abs=1e-9)
    assert result.se == pytest.approx(0, abs=1e-5)


def test_all_responded():
    result = representativity(*two_groups(40, 60))
    assert (result.r, result.r_unadjusted, result.se, result.max_bias) == (1, 1, 0, 0)
    assert result.interval() == (1, 1)
    assert (result.categories["unconditional"] == 0).all()


def test_rates_alike_have_no_linear_error_but_an_interval():
    result = representativity(*two_groups(20, 30))
    assert result.r == 1
    assert result.r_unadjusted == pytest.approx(1, abs=1e-12)
    assert result.spread < 0
    assert np.isnan(result.se)
    low, high = result.interval()
    assert 0.8 < low < high == 1
    assert (result.variables["unconditional"] == 0).all()


def test_a_constant_and_a_repeated_variable_change_nothing():
    register, responded, _ = made_up()
    result = representativity(register, responded)
    more = register.assign(country="D", again=register["field"] + "!")
    other = representativity(more, responded)
    for name in ("r", "r_unadjusted", "se", "spread", "spread_se"):
        assert getattr(other, name) == pytest.approx(getattr(result, name), rel=1e-9)
    partial = other.variables.set_index("variable")
    assert partial.loc["country", "unconditional"] == pytest.approx(0, abs=1e-12)
    assert partial.loc["country", "conditional"] == pytest.approx(0, abs=1e-12)
    # Given its copy, a variable tells nothing.
    assert partial.loc["field", "conditional"] == pytest.approx(0, abs=1e-9)


def test_the_order_of_units_does_not_matter_and_categories_keep_theirs():
    register, responded, _ = made_up()
    register["size"] = pd.Categorical(register["size"], ["2", "0", "1", "9"], ordered=True)
    where = np.random.default_rng(1).permutation(240)
    result = representativity(register, responded)
    other = representativity(register.iloc[where], responded[where])
    pd.testing.assert_frame_equal(result.variables, other.variables, check_exact=True)
    pd.testing.assert_frame_equal(result.categories, other.categories, check_exact=True)
    assert (result.r, result.se) == (other.r, other.se)
    assert result.categories["category"].tolist() == ["a", "b", "c", "d", "2", "0", "1"]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.booleans()), min_size=2
    ).filter(lambda rows: any(row[2] for row in rows))
)
def test_invariants(rows):
    data = pd.DataFrame(rows, columns=["u", "v", "responded"])
    result = representativity(data[["u", "v"]], data["responded"])
    assert result.lowest - 1e-9 <= result.r_unadjusted <= result.r + 1e-12 <= 1 + 1e-12
    low, high = result.interval()
    assert result.lowest - 1e-9 <= low <= result.r + 1e-12 <= high + 1e-9 <= 1 + 2e-9
    spread = (1 - result.r_unadjusted) / 2
    for _, row in result.variables.iterrows():
        part = result.categories[result.categories["variable"] == row["variable"]]
        together = np.sqrt((part["unconditional"] ** 2).sum())
        assert together == pytest.approx(row["unconditional_unadjusted"], abs=1e-12)
        assert row["unconditional_unadjusted"] <= spread + 1e-12
        assert row["conditional_unadjusted"] <= spread + 1e-12
        # Maximum likelihood with an intercept: fitted and observed rates agree by category.
        mean = np.sqrt(part["units"] / len(data)) * (part["rate"] - result.response_rate)
        assert part["unconditional"].tolist() == pytest.approx(mean.tolist(), abs=1e-8)


def simulated(effects, runs=200):
    """Runs of a response with these effects of six fields on the logit, and their true R."""
    rng = np.random.default_rng(7)
    field, size = rng.integers(0, 6, 250), rng.integers(0, 3, 250)
    register = pd.DataFrame({"field": field, "size": size})
    p = expit(-0.2 + np.asarray(effects)[field])
    results = [representativity(register, rng.random(250) < p) for _ in range(runs)]
    return results, 1 - 2 * float(np.std(p, ddof=1))


def test_response_at_random_has_an_indicator_of_about_one():
    results, true = simulated([0.0] * 6)
    assert true == pytest.approx(1, abs=1e-12)
    assert np.mean([e.r_unadjusted for e in results]) < 0.86
    assert np.mean([e.r for e in results]) > 0.95
    assert np.mean([e.interval()[1] == 1 for e in results]) > 0.95


def test_unequal_response_is_seen_and_its_interval_covers():
    results, true = simulated([-1.5, -1.0, 0.0, 0.5, 1.0, 1.5])
    assert true < 0.6
    assert np.mean([e.r for e in results]) == pytest.approx(true, abs=0.015)
    covered = [e.interval()[0] <= true <= e.interval()[1] for e in results]
    assert 0.91 <= np.mean(covered) <= 0.99
    assert max(e.interval()[1] for e in results) < 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"responded": [False] * 3}, "nobody responded"),
        ({"responded": [True] * 2}, r"responded \(2,\)"),
        ({"responded": [True, False, None]}, "other than True"),
        ({"weights": [1, 1]}, r"weights \(2,\)"),
        ({"weights": [1, np.nan, 2]}, "weights below 1 or missing"),
        ({"weights": [1, -1, 2]}, "weights below 1 or missing"),
        ({"register": pd.DataFrame({"a": ["x", None, "y"]})}, r"missing values in \['a'\]"),
        ({"register": pd.DataFrame({"a": [1.5, 2, 3]})}, r"\['a'\] are not categories"),
        ({"register": pd.DataFrame(index=range(3))}, "one variable or more"),
        ({"register": pd.DataFrame({"a": ["x"]}), "responded": [True]}, "two units"),
        ({"register": pd.DataFrame([["x", "y"]] * 3, columns=["a", "a"])}, "unlike names"),
    ],
)
def test_errors(changes, says):
    register = pd.DataFrame({"a": ["x", "y", "y"]})
    given_ = {"register": register, "responded": [True, False, True], **changes}
    with pytest.raises(ValueError, match=says):
        representativity(**given_)
