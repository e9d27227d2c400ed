"""A reader of the whole release who adds and subtracts, and knows who stands behind each number."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import (
    NO_BREAKS,
    contributions,
    indicators,
    pairs,
    register,
    response,
    stack,
    the_response,
    weights,
)

from pipeline.analyse import (
    Rules,
    Thresholds,
    benchmark,
    compare,
    estimate,
    protect,
    release,
)
from pipeline.errors import DisclosureError
from pipeline.process import assess
from pipeline.tables import Quality
from pipeline.tables.flow import REPRESENTATIVITY

BREAKDOWNS = ["sector", "size", "sector*size"]
RULES = Rules(3, 10, 1, 75)
WAVES = ("w1", "w2", "w3")
ADJUSTED, MIN_ANSWERS = ["size", "sector"], 5
ANYTHING = Thresholds((np.inf,) * 3, (np.inf,) * 3, 0)
"""Every figure is precise enough: the most that a reader can be shown."""
KINDS = {
    "amount": {"kind": "mean", "numerator": "amount"},
    "narrow": {"kind": "mean", "numerator": "narrow", "base": "amount > 0"},
    "sum": {"kind": "total", "numerator": "sum"},
    "share": {"kind": "share", "numerator": "share > 0"},
    "open": {"kind": "share", "numerator": "open > 0", "sensitivity": "low"},
    "mood": {"kind": "balance", "numerator": "mood"},
    "plans": {"kind": "balance", "numerator": "plans", "sensitivity": "high"},
}
CLIMATE = {"kind": "formula", "numerator": "sqrt((mood + 2) * (plans + 2)) - 2"}
LIKENESS = {"kind": "formula", "numerator": "response"}
DECLARED = pairs(
    *(("sector", g, r) for g, r in [("a", "rest"), ("b", "rest"), ("a", "b"), ("c", "a")]),
    *(("size", g, r) for g, r in [("s", "rest"), ("s", "l"), ("l", "rest")]),
    *(("size", g, f"3*{g}") for g in "sl"),
    ("population", "1", "3"),
)


class Population:
    """A made-up register of two waves with skewed answers, and what the stages make of it.

    Firms of population 1 are the target, 2 is nothing to do with it, 3 is a reference.
    """

    def __init__(self, firms, seed, participation):
        self.random = np.random.default_rng(seed)
        names = [f"f{place:02d}" for place in range(firms)]
        holdings = [self.random.choice([name, "h1", "h2"], p=[0.9, 0.05, 0.05]) for name in names]
        groups = {"sector": self.letters("abc", firms), "size": self.letters("sl", firms)}
        groups["population"] = self.random.choice(list("123"), firms, p=[0.7, 0.05, 0.25])
        registers, self.weights, rows = [], {}, []
        for wave in WAVES:
            groups["sector"] = [
                self.letters("abc", 1)[0] if self.random.random() < 0.1 else group
                for group in groups["sector"]
            ]
            crossed = zip(groups["sector"], groups["size"], strict=True)
            crossing = {"sector*size": ["*".join(pair) for pair in crossed]}
            closed = self.random.choice(names, self.random.integers(0, 3), replace=False)
            scope = {"out_of_scope": closed}
            registers.append(register(names, wave, holdings, **scope, **groups, **crossing))
            answered = self.random.choice(names, self.random.integers(5, firms + 1), replace=False)
            asked = {*answered, *names[: firms // 2]}
            others = [name for name in names if name not in asked]
            self.weights[wave] = weights(names, answered, wave, not_asked=others, **scope)
            rows += [self.answers(wave, kind) for kind in KINDS] + [response(self.weights[wave])]
        self.register, self.contributions = stack(*registers), stack(*rows)
        rows = [{"indicator": name, **kind} for name, kind in KINDS.items()]
        rows += [{"indicator": "climate", **CLIMATE}, {"indicator": REPRESENTATIVITY, **LIKENESS}]
        self.indicators = indicators(*rows, the_response(participation))

    def letters(self, choice, size):
        odds = self.random.dirichlet(np.full(len(choice), 2.0))
        return list(self.random.choice(list(choice), size, p=odds))

    def answers(self, wave, kind):
        table = self.weights[wave]
        names = table.loc[table["responded"], "firm_id"].tolist()
        yes = (self.random.random(len(names)) < self.random.choice([0.1, 0.5, 0.9])).astype(float)
        amounts = np.round(10 ** self.random.normal(2, 0.7, len(names)))
        moods = self.random.choice([1, 0, -1], len(names), p=self.random.dirichlet([1, 1, 1]))
        values = {"share": yes, "balance": moods}.get(KINDS[kind]["kind"], amounts)
        missing = self.random.random(len(names)) < 0.1
        base = [n for n in names if kind != "narrow" or self.random.random() < 0.8]
        return contributions(table, np.where(missing, np.nan, values), base=base, indicator=kind)

    def clear(self):
        return protect(
            *(self.contributions, self.register, self.indicators, DECLARED),
            breakdowns=BREAKDOWNS,
            rules=RULES,
            min_contributors_high=5,
        )

    def publish(self, cleared):
        weights = stack(*self.weights.values())
        own = self.indicators[~self.indicators["indicator"].isin(["response", REPRESENTATIVITY])]
        tables = self.contributions, weights, self.register
        base = *tables, own, DECLARED
        every = {"changes": NO_BREAKS, "breakdowns": BREAKDOWNS}
        return release(
            estimate(
                *(*tables, self.indicators, DECLARED),
                **every,
                pooled=["sector", "sector*size"],
            ),
            compare(*base, **every),
            benchmark(
                *base,
                clearance=cleared,
                adjusted=ADJUSTED,
                rules=RULES,
                min_contributors_high=MIN_ANSWERS,
            ),
            cleared,
            self.indicators,
            quality=assess(weights, self.register, columns=ADJUSTED, population="population"),
            thresholds=ANYTHING,
        )


LINES = ("change", "trend", "pooled")
"""Statistics that are made of several waves."""


class Reader:
    """Knows the register and who answered what, sees the release, and wants to know the rest."""

    def __init__(self, population, released):
        self.population = population
        shown = released[released["symbol"] == ""]
        self.group_of = cache(self.group_of)
        self.shown = {
            statistic: list(
                rows[["wave", "indicator", "breakdown", "group", "reference"]].itertuples(
                    index=False, name=None
                )
            )
            for statistic, rows in shown.groupby("statistic")
        }

    def known(self):
        """Cells (wave, indicator, breakdown, group) whose estimate follows from what is shown."""
        known = {cell[:4] for cell in self.shown.get("estimate", [])}
        links = [self.of_waves(name, cell) for name in LINES for cell in self.shown.get(name, [])]
        for wave, indicator, breakdown, group, reference in self.shown.get("difference", []):
            other = f"not {group}" if reference == "rest" else reference
            links.append([(wave, indicator, breakdown, g) for g in (group, other)])
        while True:
            unknown = [set(link) - known for link in links]
            found = {cell for link in unknown if len(link) == 1 for cell in link}
            for wave, _, *place in [cell for cell in known if cell[1] == "climate"]:
                parts = {(wave, part, *place) for part in ("mood", "plans")}
                found |= parts - known if parts & known else set()
            if not found:
                return known
            known |= found

    def of_waves(self, statistic, cell):
        """The cells of several waves that a change, trend or mean of waves is made of."""
        wave, indicator, *place = cell[:4]
        rows = self.population.contributions
        name = "mood" if indicator == "climate" else indicator
        asked = sorted(set(rows.loc[rows["indicator"] == name, "wave"]))
        times = np.array([WAVES.index(w) for w in asked if w <= wave])
        # Of a trend the wave in the middle has no weight.
        used = times[times != times.mean()] if statistic == "trend" else times[-2:]
        return [(WAVES[t], indicator, *place) for t in used]

    def firms(self, wave, indicator):
        """Firms behind an indicator, those in its base that answered."""
        rows = self.population.contributions
        own = rows[(rows["wave"] == wave) & (rows["indicator"] == indicator) & rows["in_base"]]
        return own["firm_id"].tolist()

    def group_of(self, wave, breakdown):
        """The group of each firm."""
        reg = self.population.register
        column = reg[(reg["wave"] == wave) & (reg["variable"] == breakdown)]
        return dict(zip(column["firm_id"], column["group"], strict=True))

    def row(self, cell, firms):
        """Which of the firms are in a cell."""
        wave, _, breakdown, group = cell
        group_of = self.group_of(wave, breakdown)
        if group.startswith("not "):
            target = self.group_of(wave, "all")
            rest = [f in target and group_of[f] != group.removeprefix("not ") for f in firms]
            return np.array(rest, dtype=float)
        return np.array([group_of.get(f) == group for f in firms], dtype=float)

    def adjusted_row(self, cell, firms):
        """What each firm, with its weight, adds to a reference that is composed like a group."""
        wave, _, breakdown, group, reference = cell
        table = self.population.weights[wave].set_index("firm_id")
        other = f"not {group}" if reference == "rest" else reference
        inside = self.row((*cell[:3], other), firms) > 0
        group_of = self.group_of(wave, breakdown)
        left = {f for f, g in group_of.items() if g == group and table.loc[f, "eligible"]}
        size, columns = len(left), [c for c in ADJUSTED if c not in breakdown.split("*")]
        row = np.zeros(len(firms))
        for depth in range(len(columns), -1, -1):
            named = [self.group_of(wave, column) for column in columns[:depth]]
            like = {f: tuple(of[f].split("*")[-1] for of in named) for f in table.index}
            for kind in {like[firm] for firm in left}:
                alike = inside & np.array([like[firm] == kind for firm in firms], dtype=bool)
                if alike.sum() >= MIN_ANSWERS:
                    here = {firm for firm in left if like[firm] == kind}
                    sums = table["weight"].reindex(firms).to_numpy()[alike].sum()
                    row[alike] += len(here) / size / sums
                    left -= here
        return row

    def adjusted_rows(self, known, wave, name, firms):
        """Rows of the references that follow from an adjusted difference to a known group."""
        shown = [c for c in self.shown.get("adjusted", []) if c[:2] == (wave, name)]
        return [self.adjusted_row(cell, firms) for cell in shown if cell[:4] in known]

    def computes(self, targets, cells, firms, others=()):
        """Which of the targets are sums and differences of the cells and of other rows."""
        rows = [self.row(cell, firms) for cell in cells]
        rows = np.array([*rows, *others]).reshape(len(cells) + len(others), len(firms))
        wanted = np.array(list(targets.values())).reshape(len(targets), len(firms))
        factors = np.linalg.lstsq(rows.T, wanted.T, rcond=None)[0]
        hit = wanted.any(axis=1) & np.isclose(factors.T @ rows, wanted, atol=1e-8).all(axis=1)
        return [name for name, found in zip(targets, hit, strict=True) if found]

    def reads_amounts(self, cleared):
        """Suppressed cells, and holdings or pairs of holdings, that can be computed."""
        known, found = self.known(), []
        reg = self.population.register.drop_duplicates("firm_id")
        holding_of = dict(zip(reg["firm_id"], reg["holding"], strict=True))
        hidden = cleared[cleared["rule"] != ""]
        for wave in WAVES:
            for name in [*KINDS, "response"]:
                firms = self.firms(wave, name)
                cells = sorted(cell for cell in known if cell[:2] == (wave, name))
                own = hidden[(hidden["wave"] == wave) & (hidden["indicator"] == name)]
                targets = {
                    (wave, name, breakdown, group): self.row((wave, name, breakdown, group), firms)
                    for breakdown, group in zip(own["breakdown"], own["group"], strict=True)
                }
                holdings = np.array([holding_of[firm] for firm in firms])
                for one in np.unique(holdings):
                    for other in np.unique(holdings):
                        target = (holdings == one) | (holdings == other)
                        targets[wave, name, one, other] = target.astype(float)
                others = self.adjusted_rows(known, wave, name, firms)
                found += self.computes(targets, cells, firms, others)
        return found

    def reads_participation(self, cleared):
        """Groups whose response is suppressed and follows from the n of other indicators."""
        hidden = cleared[(cleared["rule"] != "") & (cleared["indicator"] == "response")]
        found = []
        for wave in WAVES:
            firms = self.firms(wave, "response")
            cells = sorted({cell[:4] for cell in self.shown.get("n", []) if cell[0] == wave})
            own = hidden[hidden["wave"] == wave]
            targets = {
                (wave, breakdown, group): self.row((wave, "", breakdown, group), firms)
                for breakdown, group in zip(own["breakdown"], own["group"], strict=True)
            }
            found += self.computes(targets, cells, firms)
        return found


@settings(max_examples=8, deadline=None)
@given(st.integers(8, 40), st.integers(0, 2**32 - 1), st.sampled_from(["normal", "low"]))
def test_no_suppressed_number_follows_from_the_release(firms, seed, participation):
    population = Population(firms, seed, participation)
    try:
        cleared = population.clear()
    except DisclosureError:
        return  # nothing is published
    released = population.publish(cleared)
    reader = Reader(population, released)
    assert reader.reads_amounts(cleared) == []
    if participation == "normal":
        assert reader.reads_participation(cleared) == []
        assert REPRESENTATIVITY not in set(released["indicator"])
    assert_form(released, cleared)


@pytest.mark.parametrize(("firms", "seed"), [(30, 5), (38, 15)])
def test_no_suppressed_number_follows_from_adjusted_differences(firms, seed):
    population = Population(firms, seed, "low")
    cleared = population.clear()
    reader = Reader(population, population.publish(cleared))
    assert reader.reads_amounts(cleared) == []


def test_a_reference_with_the_composition_of_one_cell_is_that_cell():
    # Everybody of sector a is small, so b is told as its small firms are, whose sum is one firm's.
    firms = [f"f{place:02d}" for place in range(18)]
    groups = {"sector": "a" * 6 + "b" * 12, "size": "s" * 12 + "l" * 6}
    crossed = ["*".join(pair) for pair in zip(*groups.values(), strict=True)]
    reg = register(firms, **groups, **{"sector*size": crossed})
    table = weights(firms, firms)
    rows = contributions(table, [400, 500, 600] * 2 + [1000, 10, 8, 6, 4, 2] + [400, 500, 600] * 2)
    base = rows, table, reg, indicators(), pairs(("sector", "a", "b"))
    cleared = protect(
        *(rows, reg, indicators(), base[-1]),
        breakdowns=BREAKDOWNS,
        rules=RULES,
        min_contributors_high=5,
    )
    released = release(
        estimate(*base, changes=NO_BREAKS, breakdowns=BREAKDOWNS, pooled=[]),
        compare(*base, changes=NO_BREAKS, breakdowns=BREAKDOWNS),
        benchmark(
            *base,
            clearance=cleared,
            adjusted=["size"],
            rules=RULES,
            min_contributors_high=5,
        ),
        cleared,
        indicators(),
        quality=Quality.empty(),
        thresholds=ANYTHING,
    ).set_index("number_id")
    assert released.loc["w1/x/sector*size=b*s/estimate", "symbol"] == "c"
    told = released["value"]["w1/x/sector=a/estimate"] - released["value"].get(
        "w1/x/sector=a:b/adjusted", np.nan
    )
    assert told != pytest.approx(1030 / 6, abs=0.01)


def assert_form(released, cleared):
    """What holds of every release."""
    assert (released["value"].isna() == (released["symbol"] != "")).all()
    place = released["breakdown"] + "=" + released["group"]
    place = place.where(released["breakdown"] != "all", "all")
    place += released["reference"].map(lambda name: f":{name}" if name else "")
    parts = [released["wave"], released["indicator"], place, released["statistic"]]
    assert released["number_id"].tolist() == ["/".join(i) for i in zip(*parts, strict=True)]
    assert released["number_id"].is_unique
    cell = ["wave", "indicator", "breakdown", "group"]
    rule = released.merge(cleared, on=cell, how="left")["rule"]
    is_partial = (released["statistic"] == "partial").to_numpy()  # of a variable, not of a group
    assert (released["symbol"][(rule.to_numpy() != "") & ~is_partial] != "").all()
    shown = set(
        cleared.loc[
            (cleared[cell[1:3]] == ["response", "all"]).all(axis=1) & (cleared["rule"] == ""),
            "wave",
        ]
    )
    assert set(released.loc[released["indicator"] == REPRESENTATIVITY, "wave"]) <= shown
    assert (released["grade"][released["symbol"].isin(["c", "x"])] == "").all()


def test_the_reader_finds_what_is_not_protected():
    # Sectors of 2 and 10 firms: with primary suppression alone everybody less b is a.
    population = Population(12, 1, "low")
    names = sorted(set(population.register["firm_id"]))
    sector = "aa" + "b" * 10
    population.register = stack(
        *(register(names, w, sector=sector, size="s" * 12, population="1" * 12) for w in WAVES)
    )
    cleared = population.clear()
    assert Reader(population, population.publish(cleared)).reads_amounts(cleared) == []
    careless = cleared.assign(rule=cleared["rule"].where(cleared["rule"] != "secondary", ""))
    found = Reader(population, population.publish(careless)).reads_amounts(cleared)
    assert ("w1", "amount", "sector", "a") in found


def test_the_reader_follows_trends_and_means_of_waves():
    population = Population(12, 3, "low")
    columns = ["wave", "indicator", "breakdown", "group", "reference", "statistic", "symbol"]
    shown = [
        ("w3", "amount", "sector", "a", "", "estimate", ""),
        ("w3", "amount", "sector", "a", "", "trend", ""),  # w1, not w2
        ("w3", "amount", "sector", "b", "", "trend", ""),
        ("w1", "amount", "sector", "c", "", "estimate", ""),
        ("w2", "amount", "sector", "c", "", "pooled", ""),
        ("w3", "amount", "sector", "c", "", "pooled", "c"),
    ]
    reader = Reader(population, pd.DataFrame(shown, columns=columns))
    assert reader.known() == {
        *((w, "amount", "sector", "a") for w in ("w1", "w3")),
        *((w, "amount", "sector", "c") for w in ("w1", "w2")),
    }


def test_the_reader_follows_changes_and_differences():
    population = Population(12, 3, "low")
    columns = ["wave", "indicator", "breakdown", "group", "reference", "statistic", "symbol"]
    shown = [
        ("w1", "amount", "sector", "a", "", "estimate", ""),
        ("w2", "amount", "sector", "a", "", "change", ""),
        ("w2", "amount", "sector", "a", "rest", "difference", ""),
        ("w2", "amount", "sector", "b", "a", "difference", ""),
        ("w2", "amount", "sector", "c", "b", "difference", "c"),
    ]
    reader = Reader(population, pd.DataFrame(shown, columns=columns))
    assert reader.known() == {
        ("w1", "amount", "sector", "a"),
        *(("w2", "amount", "sector", group) for group in ("a", "not a", "b")),
    }
