"""Made-up microdata for the tests of the large-table side: a design, and the same as a table."""

import numpy as np
import pandas as pd

from pipeline import survey

ITEMS = ["y 0", 'y"1', "y2"]
BASES = ["x0", "x1", "x2"]
COLUMNS = {"weight": "w", "stratum": "h", "domain": "d"}


class Sample:
    """n units in strata (one of them lonely) and domains (-1: in none; 3: nobody answered y 0)."""

    def __init__(self, seed=0, n=400, level=1.0, missing=0.2, lonely="adjust"):
        rng = np.random.default_rng(seed)
        self.h = np.append(rng.integers(0, 7, n - 1), 7)
        self.d = np.append(rng.integers(-1, 4, n - 1), 1)
        sizes = {h: float((self.h == h).sum() + 25 * (h > 0)) for h in range(8)}  # 0: all answered
        self.w = rng.gamma(4, 1, n)
        self.design = survey.Design.from_sample(np.arange(n), self.h, self.w, sizes, lonely)
        self.population = sizes
        self.y = level + rng.normal(0, 1, (3, n)) + self.h / 2
        self.y[:2][rng.random((2, n)) < missing] = np.nan
        self.y[0, self.d == 3] = np.nan
        one = np.flatnonzero(self.d == 2)
        self.y[1, one[1:]], self.y[1, one[0]] = np.nan, level  # one answer only
        self.x = rng.gamma(3, 1, (3, n))
        self.x[0, :20] = np.nan
        self.domains = pd.Categorical.from_codes(self.d, categories=range(4))

    @property
    def table(self):
        domain = pd.array(self.d, dtype="Int64")
        domain[self.d < 0] = pd.NA
        columns = {"h": self.h, "d": domain, "w": self.w}
        columns |= dict(zip(ITEMS, self.y, strict=True)) | dict(zip(BASES, self.x, strict=True))
        return pd.DataFrame(columns)


class Wave:
    """One wave of a panel with entrants, leavers and units that switch stratum and domain."""

    def __init__(self, before=None, seed=0, units=700, level=1.0):
        rng = np.random.default_rng(seed)
        if before is None:
            h, d = rng.integers(0, 5, units), rng.integers(-1, 4, units)
            base = rng.normal(0, 1, (2, units))
        else:
            moved = rng.random(units) < 0.2
            h = np.where(moved, rng.integers(0, 5, units), before.h)
            d = np.where(moved, rng.integers(0, 4, units), before.d)
            base = before.base
        on = rng.random(units) < 0.95
        responded = on & (rng.random(units) < 0.5)
        rates = np.bincount(h[on]) / np.bincount(h[responded])
        w = rates[h] * rng.gamma(30, 1 / 30, units)
        y = level + base + rng.normal(0, 0.5, (2, units)) + h / 3
        y[:1, rng.random(units) < 0.15] = np.nan
        ids = np.flatnonzero(on)
        self.h, self.d, self.base = h, d, base
        self.design = survey.Design.from_frame(ids, h[on], responded[on], w[on])
        self.y, self.domain = y[:, responded], d[responded]
        domain = pd.array(d, dtype="Int64")
        domain[d < 0] = pd.NA
        everyone = {"id": np.arange(units), "h": h, "d": domain, "w": w, "y0": y[0], "y1": y[1]}
        self.table = pd.DataFrame(everyone)[responded]
        self.register = pd.DataFrame({"id": ids, "h": h[on]})


def same(a, b, tolerance):
    """Whether two results by domain are equal, missing values included."""
    for name in ("estimate", "se", "n", "df"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), tolerance, 0, err_msg=name)
