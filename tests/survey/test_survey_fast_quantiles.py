import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from made_up import Sample

from pipeline import survey
from pipeline.survey.fast_quantiles import quantiles_by

R = """
library(survey); options(survey.lonely.psu="adjust"); x <- read.csv("DATA")
D <- svydesign(ids=~1, strata=~h, weights=~w, fpc=~N, data=x)
for (p in c(.1, .5, .9)) for (k in 0:3) { S <- subset(D, d == k)
q <- svyquantile(~y, S, p, interval.type="mean", qrule="math")
cat(sprintf("%.17g", c(q$y[1,], degf(S))), "\\n") }
"""


def test_by_hand():
    # Weights 1, 1, 2, 4 of y = 1, 2, 3, 4: F = 1/8, 1/4, 1/2, 1. The smallest y with F >= 0.5 is 3.
    design = survey.Design.from_sample(range(4), np.zeros(4), [4, 1, 1, 2])
    found = [quantiles_by(design, [4, 1, 2, 3], np.zeros(4), p) for p in (0.125, 0.5, 0.51, 1)]
    assert [float(q.estimate[0]) for q in found] == [1, 3, 4, 4]


def test_equal_weights_reach_a_share_exactly():
    # Ten units of weight 1/3: five of them are a half, though the sum of five thirds is not exact
    design = survey.Design.from_sample(range(10), np.zeros(10), np.full(10, 1 / 3))
    q = quantiles_by(design, np.arange(10.0), np.zeros(10), 0.5)
    assert q.estimate[0] == 4


def test_the_interval_inverts_that_of_the_share():
    s = Sample(2)
    q = quantiles_by(s.design, s.y[2], s.domains, 0.4)
    for k in range(4):
        share = survey.mean(s.design, s.y[2] <= q.estimate[k], s.d == k)
        low, high = survey.t_interval(share).low, survey.t_interval(share).high
        inside = s.d == k
        order = np.argsort(s.y[2, inside])
        reached = np.cumsum(s.w[inside][order]) / s.w[inside].sum()
        values = s.y[2, inside][order]
        assert q.lower[k] == values[np.argmax(reached >= low)]
        assert q.upper[k] == values[np.argmax(reached >= high)]
        assert q.n[k] == inside.sum()


def test_a_bad_domain_is_flagged():
    s = Sample(3)
    q = quantiles_by(s.design, s.y[0], s.domains)
    assert q.n[3] == 0
    assert np.isnan([q.estimate[3], q.se[3]]).all()
    assert np.isfinite(q.se[:3]).all()
    one = quantiles_by(s.design, s.y[1], s.domains)
    assert one.n[2] == 1
    assert np.isfinite(one.estimate[2])
    assert np.isnan(one.se[2])


def test_what_cannot_be_is_said():
    s = Sample(4)
    with pytest.raises(ValueError, match="9 values"):
        quantiles_by(s.design, s.y[0, :9], s.domains)
    with pytest.raises(ValueError, match="give one between 0 and 1"):
        quantiles_by(s.design, s.y[0], s.domains, confidence=95)
    with pytest.raises(ValueError, match="probability"):
        quantiles_by(s.design, s.y[0], s.domains, p=50)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_the_numbers_are_those_of_r_survey(tmp_path):
    s = Sample(5, missing=0)
    y = s.y[2].round(1)  # with ties
    sizes = [s.population[h] for h in s.h]
    data = {"h": s.h, "d": s.d, "w": s.w, "y": y, "N": sizes}
    pd.DataFrame(data).to_csv(tmp_path / "x.csv", index=False)
    (tmp_path / "q.R").write_text(R.replace("DATA", str(tmp_path / "x.csv")))
    run = subprocess.run(["Rscript", tmp_path / "q.R"], capture_output=True, text=True, check=False)
    if "there is no package" in run.stderr:
        pytest.skip("R package survey is not installed")
    theirs = np.array([line.split() for line in run.stdout.splitlines()], dtype=float)
    assert len(theirs) == 12
    mine = []
    for p in (0.1, 0.5, 0.9):
        q = quantiles_by(s.design, y, s.domains, p)
        mine.append(np.column_stack([q.estimate, q.lower, q.upper, q.se, q.df]))
    np.testing.assert_allclose(np.vstack(mine), theirs, rtol=1e-10)
