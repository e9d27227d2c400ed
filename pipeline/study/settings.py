"""Whether `study.toml` names what exists, and each thing once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.errors import Problem, nearest
from pipeline.study.model import Study
from pipeline.tables import Register
from pipeline.tables.flow import ALL, REST
from pipeline.tables.metadata import KEY

FILE = "study.toml"
RESERVED = (ALL, KEY, str(Register.holding))
"""Names that a classifying column of the register cannot have."""
PART_OF_ID = re.compile(r"[A-Za-z0-9_.-]+")
"""Such a name can be a part of a number's id: it holds none of the signs between the parts."""


def check_settings(study: Study) -> Iterator[Problem]:
    """Names in study.toml that do not exist elsewhere, are there twice, or are taken."""
    yield from _dangling(study)
    settings = study.settings
    for place, names in (
        ("languages", settings.languages),
        ("weighting.strata", settings.weighting.strata),
        ("publication.breakdowns", settings.publication.breakdowns),
        ("benchmark", [" ".join(pair.model_dump().values()) for pair in settings.benchmark]),
    ):
        yield from _twice(place, names)
    for pair in settings.benchmark:
        if pair.group == pair.reference:
            advice = f"name another group, or {REST}"
            expected = "a reference that is not the group"
            yield _problem("benchmark.reference", pair.reference, expected, advice)
    for name in settings.register_columns:
        if name in RESERVED or not PART_OF_ID.fullmatch(name):
            expected = f"letters, digits and _ . -, and none of {', '.join(RESERVED)}"
            yield _problem("register", name, expected, "rename the column of the register")


def _dangling(study: Study) -> Iterator[Problem]:
    settings, codes = study.settings, study.codes
    register, lists = set(settings.register_columns), set(codes["code_list"])
    breakdowns = set(settings.publication.breakdowns)
    named = [("weighting.strata", n, register) for n in settings.weighting.strata]
    named += [("publication.breakdowns", n, register) for n in settings.publication.breakdowns]
    for name, column in settings.register_columns.items():
        named.append((f"register.{name}.code_list", column.code_list, lists))
    for pair in settings.benchmark:
        of = settings.register_columns.get(pair.breakdown)
        groups = set(codes.loc[codes["code_list"] == (of.code_list if of else ""), "code"])
        named.append(("benchmark.breakdown", pair.breakdown, breakdowns))
        if of:
            named.append(("benchmark.group", pair.group, groups))
            named.append(("benchmark.reference", pair.reference, groups | {REST}))
    for place, value, known in named:
        if value not in known:
            yield _problem(place, value, "a name that exists", nearest(value, known))


def _twice(place: str, names: Sequence[str]) -> Iterator[Problem]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield _problem(place, name, "each only once", "take one of them out")


def _problem(place: str, value: str, expected: str, advice: str) -> Problem:
    return Problem(f"'{value}'", expected, advice, file=FILE, item=place)
