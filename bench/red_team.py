"""An attempt to recover the largest firm's turnover from all that four waves published.

    .venv/bin/python bench/red_team.py

Releases all waves of the study at the root into a temporary folder, one after the other, and then
attacks what lies there: `releases/*.csv`, who is in which group and who answered, and every weight
to its last digit. The truth is used for two things: for what a reader is assumed to know, and to
score what it finds. The programmes are built here, from the printed numbers alone; nothing of the
pipeline's own audit is called. Writes `bench/red_team.csv`; `docs/red-team.md` explains the rows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from pipeline.collect import read_successions
from pipeline.process import link
from pipeline.store import read_table
from pipeline.tables import Answers, Register

ROOT = Path(__file__).parents[1]
WAVES = ("2023", "2024", "2025", "2026")
NEWEST = WAVES[-1]
RATIOS = {
    "I01": ("cars", "turnover"),
    "I02": ("combustion", "cars"),
    "I11": ("research", "turnover"),
    "I12": ("investment", "turnover"),
    "I20": ("energy", "turnover"),
}
"""Numerator and denominator of every indicator that has to do with turnover (A04)."""
SCALE = 100.0
PRIOR = 50.0
"""Everybody knows a firm's turnover to so many per cent."""
P = 10.0
LINK = 10.0
"""Turnover is taken to have stayed the same from one wave to the next, to so many per cent."""
ANSWERS = ("I03", "I04")
COARSE_BELOW = 30
SECONDS = 5.0
"""Time for one integer programme."""

Key = tuple[str, str, str, str]
"""Wave, indicator, breakdown and group; the group `rest:g` is all but g."""


class Truth(NamedTuple):
    """What lies behind the numbers: contributions of firms, groups of each wave, holdings."""

    brought: dict[tuple[str, str], pd.DataFrame]
    members: dict[tuple[str, str, str], set[str]]
    holding: dict[tuple[str, str], str]

    def of(self, key: Key) -> pd.DataFrame:
        """What the firms of a group bring to the indicator; empty for a wave without it."""
        wave, indicator, breakdown, group = key
        rows = self.brought[wave, indicator]
        if group.startswith("rest:"):
            outside = self.members[wave, breakdown, group.removeprefix("rest:")]
            firms = self.members[wave, "all", "all"] - outside
        else:
            firms = self.members.get((wave, breakdown, group), set())
        return rows[rows.index.isin(firms)]

    def value(self, key: Key) -> float:
        """The ratio (or share) of a group before it is rounded."""
        rows = self.of(key)
        base = (rows["weight"] * rows["denominator"]).sum()
        return SCALE * (rows["weight"] * rows["numerator"]).sum() / base


def release_all(folder: Path) -> None:
    """Make and release all waves of a copy of the study."""
    for name in ("schemas", "data/raw"):
        shutil.copytree(ROOT / name, folder / name)
    command = [sys.executable, "-c", "from pipeline.cli.app import main; main()"]
    for wave in WAVES:
        for verb in ("wave", "release"):
            subprocess.run(  # noqa: S603  (no outside input)
                [*command, "--study", str(folder), verb, wave],
                check=True,
                stdout=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )


def read_truth(folder: Path) -> Truth:
    """Read the analyst's tables of the newest run."""
    rows = pd.read_parquet(folder / "data/processed" / NEWEST / "contributions.parquet")
    rows = rows[rows["in_base"]].set_index("firm_id")
    brought = {(str(w), str(i)): of for (w, i), of in rows.groupby(["wave", "indicator"])}
    with duckdb.connect(str(folder / "data/processed/survey.duckdb"), read_only=True) as database:
        tables = [read_table(database, model, until=NEWEST) for model in (Answers, Register)]
    register = link(*tables, read_successions(folder / "data/raw/register"))[1]
    members: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for wave, variable, group, firm in zip(
        *(register[c] for c in ("wave", "variable", "group", "firm_id")), strict=True
    ):
        members[wave, variable, group].add(firm)
    of_firm = register.drop_duplicates(["wave", "firm_id"]).set_index(["wave", "firm_id"])
    return Truth(brought, dict(members), of_firm["holding"].to_dict())


def read_published(folder: Path) -> pd.DataFrame:
    """All numbers that were ever released and are shown, with half the step of their rounding."""
    tables = [pd.read_csv(path, dtype=str) for path in sorted(folder.glob("releases/????.csv"))]
    table = pd.concat(tables, ignore_index=True).fillna("")
    table = table[table["symbol"] == ""]
    half = 0.5 * 10.0 ** -table["decimals"].astype(int)
    return table.assign(value=table["value"].astype(float), half=half)


class Levels:
    """Ends of every level that printed numbers tell of, narrowed by all of them together.

    A level, its change on the wave before, the mean of both and the difference from another group
    are rounded each for itself: together they can tell more than half a step.
    """

    def __init__(self, published: pd.DataFrame, truth: Truth, indicators: Iterable[str]) -> None:
        self.low: dict[Key, float] = defaultdict(lambda: 0.0)
        self.high: dict[Key, float] = defaultdict(lambda: SCALE)
        self._told: list[tuple[dict[Key, float], float, float]] = []
        self.dropped = 0
        wanted = published[published["indicator"].isin(set(indicators))]
        for row in wanted.itertuples():
            terms = _terms(row)
            if not terms or any(not len(truth.of(key)) for key in terms):
                continue
            half = _half(row, [len(truth.of(key)) for key in terms])
            low, high = row.value - half, row.value + half
            exact = sum(c * truth.value(key) for key, c in terms.items())
            if low - 1e-7 <= exact <= high + 1e-7:
                self._told.append((terms, low, high))
            else:
                self.dropped += 1

    def narrowed(self, *, printed: bool = False) -> Levels:
        """Narrow until nothing moves; with the levels alone where `printed`."""
        told = [t for t in self._told if len(t[0]) == 1 or not printed]
        moved = True
        while moved:
            moved = False
            for terms, low, high in told:
                moved |= self._narrow(terms, low, high)
        return self

    def exact(self, truth: Truth) -> Levels:
        """As if all these levels had been told without any rounding."""
        for key in list(self.low):
            self.low[key] = self.high[key] = truth.value(key)
        return self

    def _narrow(self, terms: dict[Key, float], low: float, high: float) -> bool:
        moved = False
        for key, c in terms.items():
            least = sum(
                min(d * self.low[k], d * self.high[k]) for k, d in terms.items() if k != key
            )
            most = sum(max(d * self.low[k], d * self.high[k]) for k, d in terms.items() if k != key)
            ends = sorted(((low - most) / c, (high - least) / c))
            if ends[0] > self.low[key] + 1e-9:
                self.low[key], moved = ends[0], True
            if ends[1] < self.high[key] - 1e-9:
                self.high[key], moved = ends[1], True
        return moved


def _half(row: tuple, answers: list[int]) -> float:
    """Half the step of a printed number; shares of few answers are printed in steps of five."""
    few = answers[:1] if row.statistic == "pooled" else answers
    return 5 * row.half if row.indicator in ANSWERS and min(few) < COARSE_BELOW else row.half


def _terms(row: tuple) -> dict[Key, float]:
    """Which levels a printed number is made of, with their coefficients; none for others."""
    own = (row.wave, row.indicator, row.breakdown, row.group)
    before = {b: a for a, b in pairwise(WAVES)}.get(row.wave)
    match row.statistic:
        case "estimate":
            return {own: 1.0}
        case "change" if before:
            return {own: 1.0, (before, *own[1:]): -1.0}
        case "pooled" if before:
            return {own: 0.5, (before, *own[1:]): 0.5}
        case "difference":
            other = f"rest:{row.group}" if row.reference == "rest" else row.reference
            return {own: 1.0, (*own[:3], other): -1.0}
        case _:
            return {}


class Programme:
    """What a reader knows of the amounts of the target population in some waves.

    An unknown is an amount divided by its true value, so 1 is the truth and ends are shares of it.
    """

    def __init__(self, truth: Truth, waves: Iterable[str]) -> None:
        self._truth, self.waves = truth, list(waves)
        self._firms = {wave: truth.members[wave, "all", "all"] for wave in self.waves}
        self.place: dict[tuple[str, str, str], int] = {}
        self.size: list[float] = []
        self._rows: list[dict[int, float]] = []
        self._built: csr_array | None = None
        for wave in self.waves:
            for indicator, names in RATIOS.items():
                rows = truth.of((wave, indicator, "all", "all"))
                for column, name in zip(("numerator", "denominator"), names, strict=True):
                    for firm, value in rows[column].items():
                        self._add((wave, name, str(firm)), float(value))
            self._parts(wave)

    def _add(self, key: tuple[str, str, str], value: float) -> None:
        if key not in self.place:
            self.place[key] = len(self.size)
            self.size.append(value)

    def _parts(self, wave: str) -> None:
        """A part is no larger than its whole."""
        for part, whole in RATIOS.values():
            for (of, name, firm), place in list(self.place.items()):
                other = self.place.get((wave, whole, firm))
                if of == wave and name == part and other is not None:
                    self._tell({place: 1.0, other: -1.0})

    def _tell(self, terms: dict[int, float]) -> None:
        """A row sum(c amount) <= 0."""
        sized = {place: c * self.size[place] for place, c in terms.items()}
        most = max(map(abs, sized.values()), default=0.0)
        if most > 0:
            self._rows.append({place: c / most for place, c in sized.items()})

    def tell_levels(self, levels: Levels) -> Programme:
        """Every level whose ends are known: numerator less level times denominator."""
        for key in sorted(levels.low.keys() | levels.high.keys()):
            wave, indicator = key[:2]
            group = self._truth.of(key)
            if wave not in self.waves or not group.index.isin(self._firms[wave]).all():
                continue
            part, whole = RATIOS[indicator]
            for end, sign in ((levels.low[key], -1.0), (levels.high[key], 1.0)):
                terms: dict[int, float] = defaultdict(float)
                for row in group.itertuples():
                    terms[self.place[wave, part, row.Index]] += sign * SCALE * row.weight
                    terms[self.place[wave, whole, row.Index]] -= (
                        sign * (end + sign * 1e-9) * row.weight
                    )
                self._tell(terms)
        return self

    def tell_percentages(self) -> Programme:
        """The reader knows every firm's percentages: what part of its turnover is what."""
        for wave in self.waves:
            for part, whole in RATIOS.values():
                for (of, name, firm), place in list(self.place.items()):
                    other = self.place.get((wave, whole, firm))
                    if of == wave and name == part and other is not None and self.size[other]:
                        share = self.size[place] / self.size[other]
                        self._tell({place: 1.0, other: -share - 1e-12})
                        self._tell({place: -1.0, other: share - 1e-12})
        return self

    def tell_links(self) -> Programme:
        """Turnover as when it was told last, to `LINK` per cent, of firms of which that is true."""
        near, last = 1 + LINK / 100, dict[str, int]()
        for (_, name, firm), place in sorted(self.place.items()):
            if name != "turnover":
                continue
            other = last.get(firm)
            last[firm] = place
            if other is None:
                continue
            if self.size[other] / near <= self.size[place] <= self.size[other] * near:
                self._tell({place: 1.0, other: -near})
                self._tell({place: -near, other: 1.0})
        return self

    def _matrix(self) -> csr_array:
        if self._built is None or self._built.shape[0] != len(self._rows):
            rows = [(r, c, v) for r, terms in enumerate(self._rows) for c, v in terms.items()]
            row, column, data = (np.array(part) for part in zip(*rows, strict=True))
            shape = (len(self._rows), len(self.size))
            self._built = csr_array((data, (row, column)), shape=shape)
        return self._built

    def range_of(
        self, wave: str, firm: str, known: Iterable[str] = (), *, prior: bool = True
    ) -> tuple[float, float]:
        """Least and largest turnover of a firm that is possible, in per cent of the true one."""
        mine = set(known)
        n = len(self.size)
        least, most = np.zeros(n), np.full(n, np.inf)
        for (_, name, owner), place in self.place.items():
            if owner in mine:
                least[place] = most[place] = 1.0
            elif name == "turnover" and prior:
                least[place], most[place] = 1 - PRIOR / 100, 1 + PRIOR / 100
        matrix = self._matrix()
        slack = matrix @ np.ones(n)
        right = np.maximum(slack, 0.0) + 1e-9  # the truth fulfils every row, but for floats
        ends = []
        for sign in (1.0, -1.0):
            cost = np.zeros(n)
            cost[self.place[wave, "turnover", firm]] = sign
            found = linprog(
                cost, matrix, right, bounds=np.column_stack([least, most]), method="highs"
            )
            if found.status not in (0, 3):
                raise RuntimeError(found.message)
            ends.append(sign * found.fun if found.status == 0 else np.inf)
        return 100 * ends[0], 100 * ends[1]


class Readers(NamedTuple):
    """The firm that is attacked in a wave, and the sites of each holding that may attack it."""

    wave: str
    target: str
    holdings: dict[str, list[str]]
    field: str
    district: str
    several: str

    def named(self) -> dict[str, list[str]]:
        """What each reader knows: the sites whose figures are its own."""
        return {
            "outsider": [],
            "second largest of its field": self.holdings[self.field],
            "second largest of its district": self.holdings[self.district],
            "largest holding of several sites": self.holdings[self.several],
        }


def readers_of(truth: Truth, wave: str, target: str) -> Readers:
    """Name the readers of a wave: holdings by the turnover that they have in it."""
    turnover = truth.brought[wave, "I01"]["denominator"]
    turnover = turnover[turnover.index.isin(truth.members[wave, "all", "all"])]
    holdings: dict[str, list[str]] = defaultdict(list)
    for firm in turnover.sort_values(ascending=False).index:
        if truth.holding[wave, firm] != truth.holding[wave, target]:
            holdings[truth.holding[wave, firm]].append(str(firm))

    def beside(breakdown: str) -> str:
        near = next(
            members
            for (w, b, _), members in truth.members.items()
            if (w, b) == (wave, breakdown) and target in members
        )
        firms = [firm for sites in holdings.values() for firm in sites if firm in near]
        return truth.holding[wave, max(firms, key=lambda firm: turnover[firm])]

    several = [h for h, sites in holdings.items() if len(sites) > 1]
    largest = max(several, key=lambda h: turnover[holdings[h]].sum())
    return Readers(wave, target, dict(holdings), beside("field"), beside("district"), largest)


def largest_of(truth: Truth, wave: str) -> str:
    """The firm of the target population with the largest turnover."""
    turnover = truth.brought[wave, "I01"]["denominator"]
    return str(turnover[turnover.index.isin(truth.members[wave, "all", "all"])].idxmax())


Row = dict[str, object]


def found(attack: str, reader: str, wave: str, ends: tuple[float, float]) -> Row:
    """One line of the table; a reader comes too close where the upper end is below 1 + p."""
    low, high = (round(end, 1) for end in ends)
    row: Row = {"attack": attack, "reader": reader, "wave": wave, "low": low, "high": high}
    row["within_p"] = "yes" if ends[1] < 100 + P else "no"
    print(row, flush=True)  # noqa: T201  (a script)
    return row


def of_every_holding(attack: str, programme: Programme, readers: Readers) -> Row:
    """The highest lower end and the lowest upper end that any holding finds."""
    ends = [
        programme.range_of(readers.wave, readers.target, sites)
        for _, sites in sorted(readers.holdings.items())
    ]
    best = max(low for low, _ in ends), min(high for _, high in ends)
    return found(attack, f"best of all {len(ends)} holdings", readers.wave, best)


def attack_turnover(truth: Truth, published: pd.DataFrame) -> list[Row]:
    """What linear programmes tell of the largest firm's turnover."""
    target = largest_of(truth, NEWEST)
    printed = Levels(published, truth, RATIOS).narrowed(printed=True)
    narrow = Levels(published, truth, RATIOS).narrowed()
    exact = Levels(published, truth, RATIOS).narrowed().exact(truth)
    rows: list[Row] = []
    answered = [w for w in WAVES if target in truth.brought[w, "I01"].index]
    readers = {wave: readers_of(truth, wave, target) for wave in answered}
    for name, levels in (("ratios", printed), ("and differences", narrow)):
        for wave in answered:
            programme = Programme(truth, [wave]).tell_levels(levels)
            for reader, sites in readers[wave].named().items():
                rows.append(found(name, reader, wave, programme.range_of(wave, target, sites)))
    sites = readers[NEWEST].holdings[readers[NEWEST].field]
    ends = programme.range_of(NEWEST, target, sites, prior=False)
    rows.append(found("and differences, no prior", "second largest of its field", NEWEST, ends))
    unrounded = Programme(truth, [NEWEST]).tell_levels(exact)
    linked = Programme(truth, WAVES).tell_levels(narrow).tell_links()
    for reader, sites in readers[NEWEST].named().items():
        rows.append(found("links", reader, NEWEST, linked.range_of(NEWEST, target, sites)))
    informed = Programme(truth, [NEWEST]).tell_levels(narrow).tell_percentages()
    rows.append(of_every_holding("percentages", informed, readers[NEWEST]))
    linked.tell_percentages()
    for reader, sites in readers[NEWEST].named().items():
        ends = linked.range_of(NEWEST, target, sites)
        rows.append(found("links and percentages", reader, NEWEST, ends))
    rows.append(of_every_holding("unrounded", unrounded, readers[NEWEST]))
    unrounded.tell_percentages()
    rows.append(of_every_holding("unrounded and percentages", unrounded, readers[NEWEST]))
    turnover = truth.brought[NEWEST, "I01"]["denominator"]
    of_holding = readers[NEWEST].holdings
    order = sorted(of_holding, key=lambda h: (-turnover[of_holding[h]].sum(), h))
    for name, asked in (("and differences", programme), ("percentages", informed)):
        for number in (2, 5, 10, 20, 40):
            sites = [site for holding in order[:number] for site in of_holding[holding]]
            ends = asked.range_of(NEWEST, target, sites)
            rows.append(found(name, f"the {number} largest other holdings", NEWEST, ends))
    return rows


def attack_intervals(truth: Truth, published: pd.DataFrame, folder: Path) -> list[Row]:
    """What the width of intervals tells: no residual is above s (n - 1) / sqrt(n) (Samuelson 1968).

    The reader is assumed to know the level exactly, what the interval adds to the standard error
    for the design, and the firm's percentage; so it turns the printed width into s, and s into the
    largest turnover (or part of it) that the firm can have.
    """
    target = largest_of(truth, NEWEST)
    ends = published.pivot_table(
        index=["wave", "indicator", "breakdown", "group"], columns="statistic", values="value"
    )
    exact = pd.read_parquet(folder / "data/processed" / NEWEST / "estimates.parquet")
    exact = exact[exact["waves"] == 1].set_index(["wave", "indicator", "breakdown", "group"])
    above, below = {}, {}
    for key in ends.index[ends["ci_low"].notna() & ends["ci_high"].notna()]:
        if key[1] not in RATIOS or target not in truth.of(key).index:
            continue
        rows, level = truth.of(key), truth.value(key) / SCALE
        residual = rows["numerator"] - level * rows["denominator"]
        n = len(residual)
        bound = float(np.sqrt(((residual - residual.mean()) ** 2).sum() * (n - 1) / n))
        width = exact.loc[key, "ci_high"] - exact.loc[key, "ci_low"]
        bound *= (ends.loc[key, "ci_high"] - ends.loc[key, "ci_low"]) / width
        own = rows.loc[target]
        share = own["numerator"] / own["denominator"]
        if own["numerator"] > 0:
            above[key] = 100 * (level * own["denominator"] + bound) / own["numerator"]
        if share != level:
            below[key] = 100 * bound / abs(share - level) / own["denominator"]
    rows = []
    for name, bounds in (("numerator", above), ("denominator", below)):
        key = min(bounds, key=lambda k: (bounds[k], k))
        cell = "/".join(key)
        rows.append(
            found(f"intervals: {name}", f"knows its percentage; {cell}", key[0], (0.0, bounds[key]))
        )
    return rows


def attack_answers(truth: Truth, published: pd.DataFrame) -> list[Row]:
    """How many firms' yes or no follows from printed shares, by integer programmes.

    From the levels of the newest wave as they are printed, and narrowed by changes, means of waves
    and differences.
    """
    rows: list[Row] = []
    for indicator in ANSWERS:
        brought = truth.brought[NEWEST, indicator]
        inside = sorted(brought.index[brought.index.isin(truth.members[NEWEST, "all", "all"])])
        answers = brought.loc[inside, "numerator"].to_numpy()
        printed = Levels(published, truth, [indicator]).narrowed(printed=True)
        narrow = Levels(published, truth, [indicator]).narrowed()
        cases = {
            "as printed": _shares(truth, printed, inside),
            "and differences": _shares(truth, narrow, inside),
        }
        for name, system in cases.items():
            row = {"indicator": indicator, "told": name, "shares": len(system)}
            rows.append(row | {"firms": len(inside), **_decided(system, answers)})
            print(rows[-1], flush=True)  # noqa: T201  (a script)
    return rows


Shares = list[tuple[np.ndarray, float, float]]
"""Of each share the weights of the firms, relative to their sum, and its ends."""


def _shares(truth: Truth, levels: Levels, inside: list[str]) -> Shares:
    """Shares of the newest wave."""
    found: Shares = []
    for key in sorted(levels.low.keys() & levels.high.keys()):
        group = truth.of(key)
        if key[0] != NEWEST or not group.index.isin(inside).all():
            continue
        low, high = levels.low[key], levels.high[key]
        weight = group["weight"].reindex(inside).fillna(0.0).to_numpy()
        found.append((weight / weight.sum(), low / SCALE, high / SCALE))
    return found


def _decided(system: Shares, answers: np.ndarray) -> dict[str, int]:
    """Count the firms whose answer follows, those for which another is possible, and neither.

    Firms with the same weight in the same groups are alike: one unknown counts their yes. Only
    where all or none of them said yes can an answer follow. Every solution that is found shows for
    all firms alike in which it differs that another answer is possible.
    """
    weights, low, high = (np.array(part) for part in zip(*system, strict=True))
    alike, size = np.unique(weights.round(12), axis=1, return_inverse=True, return_counts=True)[1:]
    yes = np.bincount(alike.ravel(), weights=answers)
    columns = np.unique(weights.round(12), axis=1)
    told = LinearConstraint(csr_array(columns), low - 1e-9, high + 1e-9)
    free, follows = (yes > 0) & (yes < size), np.zeros(len(size), dtype=bool)
    for place in np.argsort(size, kind="stable"):
        if free[place]:
            continue
        least, most = np.zeros(len(size)), size.astype(float)
        if yes[place] > 0:
            most[place] -= 1
        else:
            least[place] = 1
        result = milp(
            np.zeros(len(size)),
            constraints=told,
            bounds=Bounds(least, most),
            integrality=np.ones(len(size)),
            options={"time_limit": SECONDS},
        )
        if result.x is not None:
            count = np.round(result.x)
            free |= ((yes == 0) & (count > 0)) | ((yes == size) & (count < size))
        follows[place] = result.status == 2
    return {
        "alike": len(size),
        "follow": int(size[follows].sum()),
        "possible_otherwise": int(size[free].sum()),
        "undecided": int(size[~follows & ~free].sum()),
    }


def main() -> None:
    """Release, attack, write the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        release_all(folder)
        truth, published = read_truth(folder), read_published(folder)
        rows = attack_turnover(truth, published)
        rows += attack_intervals(truth, published, folder)
    answers = attack_answers(truth, published)
    table = Path(__file__).with_suffix(".csv")
    pd.DataFrame(rows).to_csv(table, index=False, lineterminator="\n")
    of_answers = table.with_name("red_team_answers.csv")
    pd.DataFrame(answers).to_csv(of_answers, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
