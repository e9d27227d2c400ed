"""Primary rules against the answers that the SDC Handbook and the R package sdcTable publish."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.disclosure import Rules, p_of_pq, protection_needed, unsafe_amounts

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "disclosure"
REFERENCE = SHARED / "primary_and_reference.json"
ENTRIES = json.loads(REFERENCE.read_text("utf-8")) if REFERENCE.exists() else []
ENTRY = {entry["name"]: entry for entry in ENTRIES}

pytestmark = pytest.mark.skipif(not ENTRIES, reason="no reference material beside the repository")


def only(min_contributors=1, p=0.0, n=1, k=100.0, **secret):
    """Rules of which all but the given one are switched off."""
    return Rules(min_contributors, p, n, k, **secret)


def one_cell(values):
    """Arguments for one cell of firms that are each its own holding."""
    x = np.array(values, dtype=float)
    return np.ones((1, len(x)), dtype=bool), x, np.arange(len(x))


def is_unsafe(values, rules, weights=None):
    weights = None if weights is None else np.array(weights, dtype=float)
    return bool(unsafe_amounts(*one_cell(values), rules, weights=weights).unsafe[0])


def needed(values, rules):
    """Protection needed above the value of one cell."""
    return float(protection_needed(*one_cell(values), rules).above[0])


def rule_of(key):
    """The rule that a key of the reference file names, or None."""
    if found := re.match(r"p_?(\d+)", key):
        return only(p=int(found[1]))
    if found := re.match(r"nk_(\d)_(\d+(?:_\d)?)(?=_|$)", key):
        return only(n=int(found[1]), k=float(found[2].replace("_", ".")))
    if found := re.match(r"pq_(\d+)_(\d+)", key):
        return only(p=p_of_pq(int(found[1]), int(found[2])))
    return None


def test_every_entry_is_known():
    """A new entry of the file is to be read here, or named as one for the secondary rules."""
    primary = {"handbook_ex2", "handbook_ex4", "weights_a", "weights_b", "protection_levels"}
    secondary = {"python_vs_R_gauss"}
    assert set(ENTRY) == primary | secondary | {"nk_to_p", "sdcTable_microdata1"}


# ---- one cell ----------------------------------------------------------------------------------

VERDICTS = [
    pytest.param(entry["contrib"], rule_of(key), answer, id=f"{entry['name']}-{key}")
    for entry in ENTRIES
    if isinstance(entry.get("contrib", [[]])[0], int)
    for key, answer in entry.items()
    if rule_of(key) and answer in ("safe", "unsafe")
]


def test_every_unweighted_answer_of_the_handbook_is_read():
    assert len(VERDICTS) == 3


@pytest.mark.parametrize(("contrib", "rules", "answer"), VERDICTS)
def test_handbook_answers(contrib, rules, answer):
    assert is_unsafe(contrib, rules) == (answer == "unsafe")


def test_handbook_excess_of_the_second_largest_s_estimate():
    entry = ENTRY["handbook_ex2"]
    first, second, *_ = entry["contrib"]
    assert entry["X"] == sum(entry["contrib"])
    assert round(100 * (entry["X"] - second - first) / first, 1) == entry["excess_pct"]
    # It is the p from which on the cell is unsafe; published to one decimal.
    assert not is_unsafe(entry["contrib"], only(p=entry["excess_pct"] - 0.05))
    assert is_unsafe(entry["contrib"], only(p=entry["excess_pct"] + 0.05))


def test_handbook_upper_bound_that_dominance_requires():
    entry = ENTRY["handbook_ex4"]
    upper = entry["X"] + needed(entry["contrib"], only(n=1, k=85))
    assert round(upper, 2) == entry["upper_bound_required"]


# ---- weights -----------------------------------------------------------------------------------


def expanded(entry):
    """Each firm as often as its weight says, all of them strangers: the rule of tau-Argus.

    It is none of ours, which know whose holding a contribution is; but it is our rule on these.
    """
    x, weights = zip(*entry["contrib"], strict=True)
    return np.repeat(x, weights)


def test_weights_a_is_the_answer_of_tau_argus():
    entry = ENTRY["weights_a"]
    contributors = np.sort(expanded(entry))[::-1]
    assert contributors[:2].tolist() == entry["tauargus_expanded_top2"]
    assert (contributors.sum(), contributors[2:].sum()) == (entry["X"], entry["rest"])
    assert is_unsafe(contributors, only(p=10)) == (entry["p10"] == "unsafe")
    # Ours: known, 470 - 400 - 70 = 0 < 40; secret, 470 - 100 - 10 = 360 >= 10.
    x, weights = zip(*entry["contrib"], strict=True)
    assert is_unsafe(x, only(p=10), weights)
    assert not is_unsafe(x, only(p=10, secret_weights=True), weights)


def test_weights_b_has_an_answer_for_each_of_three_rules():
    entry = ENTRY["weights_b"]
    x, weights = zip(*entry["contrib"], strict=True)
    # tau-Argus: 100 100 1 1 1.
    (p,) = re.findall(r"unsafe for p>(\d+)", entry["expanded"])
    assert not is_unsafe(expanded(entry), only(p=int(p)))
    assert is_unsafe(expanded(entry), only(p=int(p) + 0.001))
    # Secret weights: 203 - 100 - 1 = 102, so the cell is safe up to p = 102.
    rest, p = map(int, re.findall(r"=(\d+)", entry["weights_secret_rule"].replace(" ", "")))
    assert entry["weights_secret_rule"].endswith(f"safe at p={p}")
    assert not is_unsafe(x, only(p=p, secret_weights=True), weights)
    assert not is_unsafe(x, only(p=rest, secret_weights=True), weights)
    assert is_unsafe(x, only(p=rest + 0.001, secret_weights=True), weights)
    # Known weights: 203 - 200 - 3 = 0.
    assert entry["weights_known_rule"].endswith("=0 -> unsafe")
    assert is_unsafe(x, only(p=10), weights)


# ---- protection levels -------------------------------------------------------------------------


def test_protection_levels_are_those_of_the_handbook():
    entry, contrib = ENTRY["protection_levels"], [300, 20, 10]
    published = {name: entry[name] for name in ("p", "nk", "pq", "freq_only")}
    assert published == {
        "p": "p/100*x1-(X-x1-x2)",
        "nk": "100/k*(x1+..+xn)-X",
        "pq": "p/q*x1-(X-x1-x2)",
        "freq_only": 0,
    }
    assert needed(contrib, only(p=10)) == 10 / 100 * 300 - (330 - 300 - 20)
    assert needed(contrib, only(n=2, k=80)) == 100 / 80 * (300 + 20) - 330
    assert needed(contrib, only(p=p_of_pq(10, 50))) == 10 / 50 * 300 - (330 - 300 - 20)
    assert needed(contrib, only(9)) == published["freq_only"]


@pytest.mark.parametrize("k", [80, 95])
def test_dominance_as_a_p_rule(k):
    entry = ENTRY["nk_to_p"]
    assert entry["rule"] == "p=100*(100-k)/k"
    p = entry[f"k{k}"]  # published to two decimals; 10000 units make one of them 1
    for rest, unsafe in ((100 * p - 1, True), (100 * p + 1, False)):
        # Beside one that brings nothing both rules ask the same: rest < p/100·x1.
        assert is_unsafe([10000, rest], only(n=1, k=k)) == unsafe
        assert is_unsafe([10000, 1e-9, rest - 2e-9, 1e-9], only(n=1, k=k)) == unsafe


# ---- sdcTable ----------------------------------------------------------------------------------

INDEX_KEYS = [
    key
    for key in ENTRY.get("sdcTable_microdata1", {})
    if key.endswith("_primary_index") and rule_of(key)
]


def sdctable_cells():
    """Region (total, A-D) x gender (total, male, female), region-major as in the reference."""
    path = SHARED / ENTRY["sdcTable_microdata1"]["file"]
    region, gender, value = np.genfromtxt(path, dtype=str, delimiter=",", skip_header=1).T
    cells = [
        (region == f'"{r}"' if r else True) & (gender == f'"{g}"' if g else np.full(len(value), 1))
        for r in ("", *"ABCD")
        for g in ("", "male", "female")
    ]
    values = value.astype(float)
    return np.array(cells, dtype=bool), values, np.arange(len(values))


def test_every_index_answer_is_read():
    assert sorted(INDEX_KEYS) == [
        "nk_2_75_primary_index",
        "p_70_primary_index",
        "pq_60_80_primary_index",
    ]


@pytest.mark.parametrize("key", INDEX_KEYS)
def test_sdctable_primary_cells(key):
    verdict = unsafe_amounts(*sdctable_cells(), rule_of(key))
    found = (np.flatnonzero(verdict.unsafe) + 1).tolist()
    assert found == ENTRY["sdcTable_microdata1"][key]


def test_sdctable_minimum():
    entry = ENTRY["sdcTable_microdata1"]["primary"]["maxN=2"]
    cells, values, holdings = sdctable_cells()
    (place,) = np.flatnonzero(unsafe_amounts(cells, values, holdings, only(3)).unsafe)
    n, value = cells[place].sum(), values[cells[place]].sum()
    assert place + 1 == 6  # A/female in the order of the reference
    assert entry == f"A/female (n={n}, val {value:g})"
