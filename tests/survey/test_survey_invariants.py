"""What must not matter, over all estimators: order, units, scale of weights, who else is asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey

seeds = st.integers(0, 10_000)


def drawn(seed, size=80):
    """A register of firms in four strata, who answered, two items and two domains."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "id": np.arange(size),
            "h": np.arange(size) % 4,
            "kind": rng.integers(0, 2, size),
            "y": rng.gamma(2.0, 3.0, size) + np.arange(size) % 4,
            "x": rng.gamma(3.0, 2.0, size) + 1,
        }
    )
    table["heard"] = (rng.random(size) < 0.6) | (np.arange(size) < 8)
    return table


def design_of(table, *, calibrated=True):
    design = survey.Design.from_frame(table["id"], table["h"], table["heard"])
    if not calibrated:
        return design
    heard = table[table["heard"]]
    margins = {"h": table["h"].value_counts(), "kind": table["kind"].value_counts()}
    return survey.calibrate(design, heard, margins, method="raking")


def figures(design, heard):
    """Every kind of estimate, by two domains: estimates and standard errors."""
    domains = np.array([heard["kind"] == 0, heard["kind"] == 1])
    y, x = heard["y"].to_numpy(), heard["x"].to_numpy()
    found = {
        "mean": survey.mean(design, y, domains),
        "share": survey.share(design, (y > 6).astype(float), domains),
        "ratio": survey.ratio(design, y, x, domains),
        "total": survey.total(design, y, domains),
        "median": survey.quantile(design, y, 0.5, domains),
    }
    found["contrast"] = survey.difference(found["mean"], survey.mean(design, y))
    return {name: (e.estimate, e.se) for name, e in found.items()}


def same(a, b, factor=1.0, relative=1e-9):
    for name, (estimate, se) in a.items():
        other, error = b[name]
        np.testing.assert_allclose(other, factor * estimate, rtol=relative, atol=1e-9 * factor)
        np.testing.assert_allclose(error, factor * se, rtol=relative, atol=1e-7 * factor)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_does_not_matter(seed):
    table = drawn(seed)
    mixed = table.sample(frac=1, random_state=seed)
    one, two = (figures(design_of(t), t[t["heard"]]) for t in (table, mixed))
    same(one, two)


@given(seeds, st.sampled_from([1e-3, 1000.0, 1e6]))
@settings(max_examples=25, deadline=None)
def test_another_unit_scales_amounts(seed, factor):
    table = drawn(seed)
    scaled = table.assign(y=table["y"] * factor)
    design = design_of(table)
    one, two = (figures(design, t[t["heard"]]) for t in (table, scaled))
    for name in ("mean", "ratio", "total", "median", "contrast"):
        same({name: one[name]}, two, factor)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_doubled_weights_double_totals_alone(seed):
    """Without a finite population: with one, weights and register would contradict each other."""
    table = drawn(seed)
    heard = table[table["heard"]]
    weights = np.random.default_rng(seed).uniform(1, 5, len(heard))
    one, two = (
        figures(survey.Design.from_sample(heard["id"], heard["h"], w), heard)
        for w in (weights, 2 * weights)
    )
    totals = one.pop("total"), two.pop("total")
    same(one, two)
    same({"total": totals[0]}, {"total": totals[1]}, 2.0)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_a_stratum_may_be_split_by_what_does_not_vary(seed):
    """A stratum of which all answered adds nothing, in one piece or in two.

    But for degrees of freedom, with which a quantile's interval, and so its standard error, change.
    """
    table = drawn(seed)
    table.loc[table["h"] == 0, "heard"] = True
    halves = table.assign(h=np.where((table["h"] == 0) & (table["id"] % 8 == 0), 9, table["h"]))
    one, two = (figures(design_of(t, calibrated=False), t[t["heard"]]) for t in (table, halves))
    del one["median"]
    same(one, two)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_another_domain_does_not_matter(seed):
    table = drawn(seed)
    heard, design = table[table["heard"]], design_of(table)
    y = heard["y"].to_numpy()
    domains = np.array([heard["kind"] == 0, heard["kind"] == 1])
    alone = survey.mean(design, y, domains)
    beside = survey.mean(design, y, np.vstack([domains, np.ones_like(domains[:1])]))
    np.testing.assert_allclose(beside.se[:2], alone.se, rtol=1e-12)
    np.testing.assert_allclose(beside.estimate[:2], alone.estimate, rtol=1e-13)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_a_bad_domain_is_flagged_and_the_others_live(seed):
    """Nobody, one firm, and firms that left the question out; the others as if alone."""
    table = drawn(seed)
    heard, design = table[table["heard"]], design_of(table)
    y = heard["y"].to_numpy().copy()
    kind = heard["kind"].to_numpy()
    silent = kind == 1
    y[silent] = np.nan
    one = np.arange(len(y)) == np.flatnonzero(~silent)[0]
    domains = np.array([np.zeros(len(y), dtype=bool), one, silent, ~silent])
    for found in (survey.mean(design, y, domains), survey.quantile(design, y, 0.5, domains)):
        assert found.n.tolist() == [0, 1, 0, int((~silent).sum())]
        assert np.isnan(found.se[:3]).all()
        assert np.isnan(found.estimate[[0, 2]]).all()
        assert np.isfinite(found.estimate[3])
    alone = survey.mean(design, y, ~silent)
    assert survey.mean(design, y, domains).se[3] == pytest.approx(float(alone.se), rel=1e-12)


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_a_change_does_not_depend_on_the_order_of_either_wave(seed):
    first, second = drawn(seed), drawn(seed + 1)
    changes = []
    for mix in (False, True):
        waves = [t.sample(frac=1, random_state=seed) if mix else t for t in (first, second)]
        levels = [survey.mean(design_of(t), t.loc[t["heard"], "y"].to_numpy()) for t in waves]
        changes.append(survey.change(*levels))
    assert float(changes[1].estimate) == pytest.approx(float(changes[0].estimate), rel=1e-10)
    assert float(changes[1].se) == pytest.approx(float(changes[0].se), rel=1e-9)


def test_a_calibrated_count_is_known():
    table = drawn(1)
    heard, design = table[table["heard"]], design_of(table)
    e = survey.total(design, (heard["kind"] == 1).astype(float))
    assert float(e.estimate) == pytest.approx((table["kind"] == 1).sum(), rel=1e-12)
    assert float(e.se) == pytest.approx(0, abs=1e-9)
    before = replace(design, adjustments=())
    assert float(survey.total(before, (heard["kind"] == 1).astype(float)).se) > 1
