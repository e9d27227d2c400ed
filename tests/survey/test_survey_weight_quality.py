import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.survey.weight_quality import (
    CONSTANT,
    TRUTH_IS_ZERO,
    against_register,
    bias_of_register,
    kish_design_effect,
    weight_summary,
)

weight_lists = st.lists(st.floats(0.1, 100), min_size=1, max_size=20)


def test_design_effect_by_hand():
    # Weights 1 1 2: 3 * 6 / 16 = 1.125; mean 4/3, variance 2/9, cv^2 = 2/9 * 9/16 = 1/8.
    s = weight_summary([1, 1, 2])
    assert (s.n, s.total, s.smallest, s.largest) == (3, 4, 1, 2)
    assert kish_design_effect([1, 1, 2]) == s.design_effect == pytest.approx(1.125, rel=1e-15)
    assert s.cv == pytest.approx(np.sqrt(1 / 8), rel=1e-15)


def test_weights_alike_have_no_effect():
    assert kish_design_effect([0.1] * 3) == 1
    assert weight_summary([0.1] * 3).cv == 0


@given(weight_lists, st.floats(0.01, 100))
def test_design_effect_is_kishs_and_has_no_unit(weights, factor):
    w = np.array(weights)
    kish = len(w) * (w**2).sum() / w.sum() ** 2
    assert kish_design_effect(w) == pytest.approx(kish, rel=1e-12)
    assert kish_design_effect(factor * w) == pytest.approx(kish, rel=1e-12)
    assert 1 <= kish_design_effect(w) <= len(w) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1, np.nan, -1, np.inf], "3 weights"),
        ([], "shape"),
        ([[1.0]], "shape"),
        ([0, 0], "all weights are 0"),
    ],
)
def test_wrong_weights(weights, says):
    with pytest.raises(ValueError, match=says):
        kish_design_effect(weights)


def test_against_register_by_hand():
    # b: two respondents of 5 with 2.5 each; a: one of 3 with weight 2, one unit short; c: none.
    table = against_register(
        ["b", "a", "b", "a", "b", "c"],
        {"c": 1, "a": 3, "b": 5},
        [2.5, 2, 2.5, np.nan, -7, np.nan],
        [True, True, True, False, False, False],
    )
    assert table.columns.tolist() == [
        *("stratum", "n", "N", "sum_of_weights", "difference", "smallest", "largest")
    ]
    assert table["stratum"].tolist() == ["a", "b", "c"]
    assert table["n"].tolist() == [1, 2, 0]
    assert table["sum_of_weights"].tolist() == [2, 5, 0]
    assert table["difference"].tolist() == [-1, 0, -1]
    assert table["smallest"].tolist()[:2] == table["largest"].tolist()[:2] == [2, 2.5]
    assert np.isnan(table.loc[2, ["smallest", "largest"]].astype(float)).all()


@pytest.mark.parametrize(
    ("strata", "counts", "weights", "responded", "says"),
    [
        (["a", "z"], {"a": 2}, [1, 1], [True, True], r"no register count for strata \['z'\]"),
        (["a", None], {"a": 2}, [1, 1], [True, True], "1 units have no stratum"),
        (["a", "b"], {"a": 2, "b": 0}, [1, 1], [True, True], r"counts of strata \['b'\]"),
        (["a", "b"], {"a": 2, "b": np.nan}, [1, 1], [True, True], r"counts of strata \['b'\]"),
        (["a", "a"], {"a": 2}, [1, -1], [True, True], "1 weights"),
        (["a", "a"], {"a": 2}, [1, 1], [False, False], "nobody responded"),
        (["a", "a"], {"a": 2}, [1, 1], [True, 2], "other than True"),
        (["a", "a"], {"a": 2}, [1, 1], [True], "responded has shape"),
        (["a", "a"], {"a": 2}, [1], [True, True], r"expected \(2,\)"),
    ],
)
def test_errors_against_the_register(strata, counts, weights, responded, says):
    with pytest.raises(ValueError, match=says):
        against_register(strata, counts, weights, responded)


def firms():
    return pd.DataFrame(
        {
            "size": pd.Categorical(["small", "small", "small", "large"], ["small", "large", "x"]),
            "employees": [10, 20, 30, 140],
        }
    )


def test_bias_of_register_by_hand():
    # Truth: 75 % small; mean 50. Firms 1, 2, 4 respond.
    # unweighted: 2/3 small, mean 170/3; weights 1 1 2: 50 %, 310/4; 3/2 3/2 1: 75 %, 185/4.
    table = bias_of_register(
        firms(),
        [True, True, False, True],
        weights_before=[1, 1, np.nan, 2],
        weights_after=[1.5, 1.5, np.nan, 1],
    )
    assert table["variable"].tolist() == ["size", "size", "employees"]
    assert table["category"].tolist()[:2] == ["small", "large"]
    assert pd.isna(table["category"][2])
    assert table["measure"].tolist() == ["share", "share", "mean"]
    assert table["truth"].tolist() == [75, 25, 50]
    assert table["unweighted"].tolist() == pytest.approx([200 / 3, 100 / 3, 170 / 3], rel=1e-14)
    assert table["before"].tolist() == pytest.approx([50, 50, 77.5], rel=1e-14)
    assert table["after"].tolist() == pytest.approx([75, 25, 46.25], rel=1e-14)
    assert table["bias_unweighted"].tolist() == pytest.approx([-25 / 3, 25 / 3, 40 / 3], rel=1e-13)
    assert table["bias_before"].tolist() == pytest.approx([-25, 25, 55], rel=1e-14)
    assert table["bias_after"].tolist() == pytest.approx([0, 0, -7.5], abs=1e-13)
    assert table["flag"].tolist() == ["", "", ""]


def test_there_is_no_bias_where_all_responded():
    table = bias_of_register(
        firms(), np.ones(4, dtype=bool), weights_before=np.ones(4), weights_after=np.ones(4)
    )
    biases = table[["bias_unweighted", "bias_before", "bias_after"]].to_numpy()
    assert biases == pytest.approx(np.zeros((3, 3)), abs=1e-12)


def test_a_constant_and_a_mean_of_zero_are_flagged_and_the_rest_is_there():
    register = firms().assign(country="D", euro=0.1, growth=[-1.0, 1, -2, 2], export=[True] * 4)
    table = bias_of_register(
        register,
        [True, True, False, True],
        weights_before=[1, 1, 0, 1],
        weights_after=[1, 1, 0, 3],
    ).set_index("variable")
    assert (table.loc[["country", "euro", "export"], "flag"] == CONSTANT).all()
    assert table.loc[["country", "euro", "export"], "truth"].tolist() == [100, 0.1, 100]
    for column in ("bias_unweighted", "bias_before", "bias_after"):
        assert (table.loc[["country", "euro", "export"], column] == 0).all()
        assert np.isnan(table.loc["growth", column])
    assert table.loc["growth", "flag"] == TRUTH_IS_ZERO
    # (-1 + 1 + 3 * 2) / 5
    assert table.loc["growth", "after"] == pytest.approx(1.2, rel=1e-14)
    assert table.loc["employees", "flag"] == ""


def test_a_constant_is_unbiased_to_the_last_digit():
    # The mean of six times 0.1 is 0.09999999999999999 in floating point.
    table = bias_of_register(
        pd.DataFrame({"x": [0.1] * 6}),
        np.arange(6) < 3,
        weights_before=np.full(6, 0.3),
        weights_after=np.full(6, 0.7),
    )
    numbers = ["truth", "unweighted", "before", "after"]
    assert table[numbers].to_numpy().tolist() == [[0.1] * 4]


@pytest.mark.parametrize("seed", [1, 2])
def test_calibrated_weights_leave_no_bias_of_their_own_variable(seed):
    rng = np.random.default_rng(seed)
    field = rng.integers(0, 4, 200)
    responded = rng.random(200) < 0.2 + 0.15 * field
    rates = np.bincount(field[responded]) / np.bincount(field)
    table = bias_of_register(
        pd.DataFrame({"field": field.astype(str)}),
        responded,
        weights_before=np.ones(200),
        weights_after=1 / rates[field],
    )
    assert table["bias_after"].abs().max() < 1e-11
    assert table["bias_before"].abs().max() > 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"register": firms().assign(size=["a", None, "b", "b"])}, r"missing values in \['size'\]"),
        ({"register": firms().assign(employees=[1, np.inf, 2, 3])}, r"in \['employees'\]"),
        ({"register": firms().set_axis(["a", "a"], axis=1)}, "same name"),
        ({"responded": np.zeros(4, dtype=bool)}, "nobody responded"),
        ({"weights_before": [1, np.nan, 1, 1]}, "1 weights"),
        ({"weights_after": [0, 0, 0, 0]}, "all weights are 0"),
        ({"weights_after": [1, 1]}, r"expected \(4,\)"),
    ],
)
def test_errors_of_the_register(changes, says):
    given_ = {
        "register": firms(),
        "responded": np.ones(4, dtype=bool),
        "weights_before": np.ones(4),
        "weights_after": np.ones(4),
        **changes,
    }
    with pytest.raises(ValueError, match=says):
        bias_of_register(given_.pop("register"), given_.pop("responded"), **given_)
