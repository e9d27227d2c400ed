"""Whether `study.toml` names what exists, and each thing once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import product

from pipeline.errors import Problem, nearest
from pipeline.study.check.names import PART_OF_ID
from pipeline.study.schemas import Schemas
from pipeline.tables import Items, Register
from pipeline.tables.flow import ALL, CROSS, REST
from pipeline.tables.metadata import KEY

FILE = "study.toml"
OF_REGISTER = (Register.holding, Register.waiver, Register.design_weight)
RESERVED = (ALL, KEY, *map(str, OF_REGISTER))
"""Names that a classifying column of the register cannot have."""


def check_settings(schemas: Schemas) -> Iterator[Problem]:
    """Names in study.toml that do not exist elsewhere, are there twice, or are taken."""
    settings = schemas.settings
    for name in settings.register_columns:
        if name in RESERVED or not PART_OF_ID.fullmatch(name):
            expected = f"letters, digits and _ . -, and none of {', '.join(RESERVED)}"
            yield _problem("register", name, expected, "rename the column of the register")
    pairs = [p for b in settings.benchmark for p in b.pairs]
    for place, names in (
        ("languages", settings.languages),
        ("weighting.strata", settings.weighting.strata),
        ("weighting.calibrate", settings.weighting.calibrate),
        ("weighting.compared", settings.weighting.compared),
        ("publication.breakdowns", settings.publication.breakdowns),
        ("publication.pooled", settings.publication.pooled),
        ("publication.adjusted", settings.publication.adjusted),
        ("publication.peers", settings.publication.peers),
        ("benchmark.name", [benchmark.name for benchmark in settings.benchmark]),
        ("benchmark.pairs", [" ".join(pair.model_dump().values()) for pair in pairs]),
    ):
        yield from _twice(place, names)
    yield from _dangling(_named(schemas))
    yield from _dangling(_in_pairs(schemas))
    for pair in pairs:
        if pair.group == pair.reference:
            advice = f"name another group, or {REST}"
            expected = "a reference that is not the group"
            yield _problem("benchmark.reference", pair.reference, expected, advice)
    yield from _publication(schemas)


Named = tuple[str, str, Collection[str]]
"""Where something is named, its name, and the names that there are."""


def _named(schemas: Schemas) -> Iterator[Named]:
    settings, register = schemas.settings, schemas.register
    for name, code_list in register.items():
        yield f"register.{name}.code_list", code_list, schemas.codes_by_list
    weighting, publication = settings.weighting, settings.publication
    for place, columns in (
        ("weighting.strata", weighting.strata),
        ("weighting.calibrate", weighting.calibrate),
        ("weighting.compared", weighting.compared),
        ("publication.adjusted", publication.adjusted),
    ):
        yield from ((place, name, register) for name in columns)
    for place, columns in (
        ("publication.pooled", publication.pooled),
        ("publication.peers", publication.peers),
    ):
        yield from ((place, name, publication.breakdowns) for name in columns)
    for name in settings.publication.breakdowns:
        for part in name.split(CROSS):
            yield "publication.breakdowns", part, register
    for place, group in (("target", settings.target), ("eligibility", settings.eligibility)):
        if group:
            yield f"{place}.column", group.column, register
            if group.column in register:
                yield f"{place}.group", group.group, _codes(schemas, group.column)
    indicators = [row["indicator"] for row in schemas.rows["definitions"]]
    items = [str(name) for name in schemas.items["item"]]
    yield from (("publication.known", name, items) for name in settings.publication.known)
    for benchmark in settings.benchmark:
        for name in benchmark.without:
            yield "benchmark.without", name, indicators


def _in_pairs(schemas: Schemas) -> Iterator[Named]:
    """The parts of each pair: groups of the breakdown, references of other populations too."""
    settings, target = schemas.settings, schemas.settings.target
    breakdowns = {*settings.publication.breakdowns} | ({target.column} if target else set())
    for pair in (p for b in settings.benchmark for p in b.pairs):
        yield "benchmark.breakdown", pair.breakdown, breakdowns
        parts = pair.breakdown.split(CROSS)
        if not schemas.register.keys() >= {*parts}:
            continue
        groups = {CROSS.join(g) for g in product(*(_codes(schemas, part) for part in parts))}
        references = groups | {REST}
        is_shared = target and target.column in schemas.register and len(parts) == 1
        if target and is_shared and pair.breakdown != target.column:
            others = _codes(schemas, target.column) - {target.group}
            references |= {f"{p}{CROSS}{g}" for p, g in product(others, groups)}
        yield "benchmark.group", pair.group, groups
        yield "benchmark.reference", pair.reference, references


def _publication(schemas: Schemas) -> Iterator[Problem]:
    """Crossings of more than two columns, limits that contradict, rankings without indicators."""
    settings, rules = schemas.settings, schemas.settings.publication
    for name in settings.crossings:
        parts = name.split(CROSS)
        if len(parts) != 2 or parts[0] == parts[1]:
            expected = "a crossing of two columns, such as a*b"
            yield _problem("publication.breakdowns", name, expected, "name two columns")
    weighting = settings.weighting
    if weighting.method == "logit" and weighting.bounds is None:
        yield _problem("weighting.bounds", "none", "bounds for logit", "such as [0.5, 2]")
    if settings.engine != "numpy" and weighting.calibrate:
        advice = 'take engine = "numpy", or weighting.strata alone'
        expected = "no weighting.calibrate beside it: its passes take response weights"
        yield _problem("engine", settings.engine, expected, advice)
    for place, limits in (
        ("points", settings.quality.points),
        ("percent", settings.quality.percent),
    ):
        if list(limits) != sorted(set(limits)):
            found = ", ".join(f"{limit:g}" for limit in limits)
            yield _problem(f"quality.{place}", found, "three limits that rise", "put them in order")
    is_set = "min_contributors_high" in rules.model_fields_set
    if is_set and rules.min_contributors_high < rules.min_contributors:
        found, place = str(rules.min_contributors_high), "publication.min_contributors_high"
        advice = "raise it: it is the limit for the most sensitive items"
        yield _problem(place, found, f"{rules.min_contributors} or more", advice)
    if rules.pq and rules.pq[1] <= rules.pq[0]:
        found = ", ".join(f"{per_cent:g}" for per_cent in rules.pq)
        expected = "p, then a larger q: how closely values may be known after, and are before"
        advice = "raise q, or lower p: what readers know to p per cent cannot be kept from them"
        yield _problem("publication.pq", found, expected, advice)
    yield from _unprotected(schemas)
    ranked = {row["ranking"] for row in schemas.rows["definitions"]}
    for name in settings.ranking:
        if name not in ranked:
            advice = "name it in the column ranking of indicators.csv, or take it out"
            yield _problem("ranking", name, "a ranking that an indicator names", advice)


def _unprotected(schemas: Schemas) -> Iterator[Problem]:
    """Items known so closely that nothing is left to protect, but for those of low sensitivity."""
    rules, items = schemas.settings.publication, schemas.items
    p = max(100 * p / q for p, q in rules.p_and_q)
    secret = set(items.loc[items[Items.sensitivity] != "low", Items.item])
    for name, within in rules.known.items():
        if name in secret and within <= p:
            expected = f"more than p, {p:g} per cent, as its sensitivity is not low"
            advice = "raise it, or give the item the sensitivity low if it is public anyway"
            yield _problem(f"publication.known.{name}", f"{within:g}", expected, advice)


def _codes(schemas: Schemas, column: str) -> set[str]:
    rows = schemas.codes_by_list.get(schemas.register[column], ())
    return {row["code"] for row in rows}


def _dangling(named: Iterator[Named]) -> Iterator[Problem]:
    for place, value, known in named:
        if value not in known:
            yield _problem(place, value, "a name that exists", nearest(value, known))


def _twice(place: str, names: Sequence[str]) -> Iterator[Problem]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield _problem(place, name, "each only once", "take one of them out")


def _problem(place: str, value: str, expected: str, advice: str) -> Problem:
    return Problem(f"'{value}'", expected, advice, file=FILE, item=place)
