"""What firms are told of their peers, by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from small_tables import as_contract, contributions, indicators, register, weights

from pipeline.analyse import Rules, feedback
from pipeline.analyse.feedback import quarters, retell
from pipeline.tables import Clearance, Feedback, Release

RULES = Rules(3, 10, 1, 75)
EVERYBODY = ("all", "all")
FIRMS = [f"f{place:02d}" for place in range(24)]
FAR_APART = np.geomspace(10, 600, 24)


def published(rows, reg, places, decimals=2, rule=""):
    """Clearance and release of the means of these groups, the weights all 1."""
    cleared, released = [], []
    for breakdown, group in places:
        inside = reg.loc[(reg["variable"] == breakdown) & (reg["group"] == group), "firm_id"]
        own = rows[rows["firm_id"].isin(inside) & rows["in_base"]]
        value = round(own["numerator"].sum() / own["denominator"].sum(), decimals)
        place = "all" if breakdown == "all" else f"{breakdown}={group}"
        cleared.append(("w1", "x", breakdown, group, len(own), rule, 1.0))
        name = f"w1/x/{place}/estimate"
        key = (name, "w1", "x", breakdown, group, "", "estimate")
        released.append((*key, value, decimals, "", "A"))
    tables = zip((Clearance, Release), (cleared, released), strict=True)
    return [
        as_contract(model, pd.DataFrame(rows, columns=list(model.to_schema().columns)))
        for model, rows in tables
    ]


def told(values, places=(EVERYBODY,), *, peers=(), min_peers=10, holdings=None, rule="", **other):
    """The release with what is told, and the feedback by firm."""
    groups = {name: other.pop(name) for name in ("sector", "size") if name in other}
    table, reg = weights(FIRMS, FIRMS), register(FIRMS, holdings=holdings, **groups)
    rows = contributions(table, values)
    cleared, released = published(rows, reg, places, rule=rule)
    released, found = feedback(
        *(rows, reg, indicators(**other), cleared, released),
        peers=peers,
        min_peers=min_peers,
        rules=RULES,
        min_contributors_high=5,
    )
    return released, found.set_index("firm_id")


def test_everybody_is_told_the_same_and_it_is_in_the_release():
    released, found = told(FAR_APART)
    assert found.index.tolist() == FIRMS
    public = found[["breakdown", "group", "estimate", "lower", "middle", "upper", "symbol"]]
    assert len(public.drop_duplicates()) == 1
    values = released.set_index("number_id")["value"]
    assert public.iloc[0, 2:6].tolist() == [
        values[f"w1/x/all/{s}"] for s in ("estimate", "peers_lower", "peers_middle", "peers_upper")
    ]
    # The mean is 151.17; 20 % of it are 30.2, so the step is 20. From 5 to 45 % of 24 firms are 0.8
    # of the 2nd, the 3rd to the 10th and 0.8 of the 11th: 288.1 / 9.6 = 30.01, that is 40. Around
    # the middle 87.3, in the upper part 254.1.
    assert public.iloc[0, 2:6].tolist() == pytest.approx([151.17, 40, 80, 260])
    assert found["value"].tolist() == pytest.approx(FAR_APART)


def test_a_quarter_follows_from_the_quartiles_that_are_told():
    _, found = told(FAR_APART)
    assert (found["quarter_low"] == found["quarter_high"]).all()
    ends = found[["lower", "middle", "upper"]].to_numpy()
    assert (found["quarter_low"] == 1 + (ends < FAR_APART[:, None]).sum(axis=1)).all()


@given(st.lists(st.integers(0, 5), min_size=3, max_size=3), st.integers(0, 5))
def test_quarters_by_hand_rules(ends, value):
    low, high = (int(q[0]) for q in quarters(np.array([float(value)]), np.sort([ends]) * 1.0))
    assert 1 <= low <= high <= 4
    # It is open only where the value is that of several quartiles.
    assert high - low == max(ends.count(value) - 1, 0)
    above, _ = quarters(np.array([value + 0.5]), np.sort([ends]) * 1.0)
    assert above[0] >= high


def test_no_quarter_without_quartiles():
    low, high = quarters(np.array([3.0]), np.full((1, 3), np.nan))
    assert (low[0], high[0]) == (0, 0)


def test_the_narrowest_group_open_to_everybody_is_a_firm_s_peers():
    sector = "a" * 12 + "b" * 12
    places = [("sector", "a"), ("sector", "b"), EVERYBODY]
    # Of twelve firms eleven are left to each reader: 11 needed is still met, 12 is not.
    _, found = told(FAR_APART, places, peers=["sector"], min_peers=11, sector=sector)
    assert found["group"].tolist() == list(sector)
    _, found = told(FAR_APART, places, peers=["sector"], min_peers=12, sector=sector)
    assert set(found["group"]) == {"all"}
    # What is not printed is nobody's peer group.
    _, found = told(FAR_APART, places[1:], peers=["sector"], sector=sector)
    assert found["group"].tolist() == ["all"] * 12 + ["b"] * 12
    assert told(FAR_APART, rule="secondary")[1].empty


def test_a_group_that_fails_one_reader_is_closed_to_all():
    # Sector a: 500, 400 and ten of 4. With all of them X - x1 - x2 = 40 < 50 anyway; with ten of 8
    # it is 80 > 50, but the reader of 500 finds 400 and ten of 8: 400 > 75 % of 480.
    for small, opened in ((8, False), (40, True)):
        values = np.array([500.0, 400, *[small] * 10, *FAR_APART[12:]])
        _, found = told(
            *(values, [("sector", "a"), EVERYBODY]), peers=["sector"], sector="a" * 12 + "b" * 12
        )
        assert set(found["group"][:12]) == ({"a"} if opened else {"all"})


def test_a_holding_is_one_reader_and_one_contributor():
    sector, places = "a" * 12 + "b" * 12, [("sector", "a"), EVERYBODY]
    common = {"peers": ["sector"], "sector": sector, "min_peers": 10}
    joined = ["h", "h", *FIRMS[2:]]
    # Twelve firms, eleven holdings: ten are left to each.
    _, found = told(FAR_APART, places, holdings=joined, **common)
    assert set(found["group"][:12]) == {"a"}
    _, found = told(FAR_APART, places, holdings=["h", *joined[:2], *FIRMS[3:]], **common)
    assert set(found["group"][:12]) == {"all"}


def test_quartiles_that_would_tell_a_firm_are_withheld():
    # All between 46 and 54: with any quartile each is known to a tenth.
    released, found = told(np.linspace(46, 54, 24))
    rows = released[released["statistic"].str.startswith("peers")]
    assert rows["symbol"].tolist() == ["c"] * 3
    assert rows["value"].isna().all()
    assert set(found["symbol"]) == {"c"}
    assert set(found["quarter_low"]) == {0}
    assert found["estimate"].unique().tolist() == [50]


def test_of_a_share_a_firm_is_told_how_many_answered_as_it_did():
    # 6 of 24 said yes, a quarter.
    values = [1.0] * 6 + [0.0] * 18
    released, found = told(values, kind="share", numerator="x > 0")
    assert found["same"].tolist() == [25] * 6 + [75] * 18
    assert found["lower"].isna().all()
    assert not released["statistic"].str.startswith("peers").any()
    # With 2 of 24 one of the two would know that the other is the only one.
    assert told([1.0] * 2 + [0.0] * 22, kind="share", numerator="x > 0")[1].empty


def test_of_a_balance_the_share_that_answered_the_same_is_not_known():
    _, found = told([1.0, 0, -1] * 8, kind="balance", numerator="x")
    assert found["same"].isna().all()
    assert found["value"].tolist() == [1, 0, -1] * 8


def test_a_total_is_nothing_to_compare_a_firm_with():
    assert told(FAR_APART, kind="total")[1].empty


def test_an_amount_of_yes_and_no_has_no_quartiles():
    _, found = told([1.0, 0] * 12, kind="mean", numerator="x > 0")
    assert found["lower"].isna().all()
    assert set(found["symbol"]) == {""}


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_same_for_all_and_clean_whoever_reads(seed):
    random = np.random.default_rng(seed)
    values = np.round(np.exp(random.normal(3, 1, 24)), 1)
    sector = "".join(random.choice(["a", "a", "b"], 24))
    places = [("sector", g) for g in sorted(set(sector))] + [EVERYBODY]
    _, found = told(values, places, peers=["sector"], sector=sector)
    public = ["breakdown", "group", "estimate", "lower", "middle", "upper", "symbol"]
    assert not found[public].drop_duplicates().duplicated(["breakdown", "group"]).any()
    for (breakdown, group), rows in found.groupby(["breakdown", "group"]):
        inside = values if breakdown == "all" else values[np.array(list(sector)) == group]
        assert len(inside) > 10
        for reader in range(len(inside)):
            largest, second, *rest = sorted(np.delete(inside, reader), reverse=True)
            assert sum(rest) >= 0.1 * largest
            assert largest <= 0.75 * (largest + second + sum(rest)) + 1e-9
        assert len(rows) <= len(inside)


def test_the_order_of_rows_is_of_no_consequence():
    table, reg = weights(FIRMS, FIRMS), register(FIRMS, sector="a" * 12 + "b" * 12)
    rows = contributions(table, FAR_APART)
    cleared, released = published(rows, reg, [("sector", "a"), ("sector", "b"), EVERYBODY])
    tables = rows, reg, indicators(), cleared, released
    settings = {"peers": ["sector"], "min_peers": 10, "rules": RULES, "min_contributors_high": 5}
    once = feedback(*tables, **settings)
    again = feedback(*(t.sample(frac=1, random_state=8) for t in tables), **settings)
    for one, other in zip(once, again, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_what_was_released_is_told_again_and_nothing_of_a_group_that_was_hidden():
    released, found = told(FAR_APART)
    firms = as_contract(Feedback, found.reset_index()[list(Feedback.to_schema().columns)])
    estimate = released["statistic"] == "estimate"
    higher = released.assign(value=released["value"].mask(estimate, 1000.0))
    again = retell(firms, as_contract(Release, higher), indicators())
    assert set(again["estimate"]) == {1000.0}
    # All are below it now; their own figures and the quartiles are as they were.
    assert_frame_equal(again[["firm_id", "value", "upper"]], firms[["firm_id", "value", "upper"]])
    hidden = {"value": np.nan, "symbol": "c", "grade": ""}
    suppressed = released.copy()
    for column, value in hidden.items():
        suppressed[column] = suppressed[column].mask(estimate, value)
    assert retell(firms, as_contract(Release, suppressed), indicators()).empty
