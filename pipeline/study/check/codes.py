"""Classifications that fit together, and which codes an item has in a wave."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.errors import Problem, nearest
from pipeline.study.schemas import PATTERN, Schemas

PAIR = r"[^\s=]+=[^\s=]+"
RECODE = re.compile(rf"{PAIR}(\s+{PAIR})*")
"""`apply` of a recode: old=new for each code."""
CLASSIFICATION = re.compile(r"\S+\s+[1-9]")
"""`apply` of a classification: a concordance, the digits that are compared."""
CHOSEN = {"0", "1"}
"""Codes of an option: not chosen, chosen."""


def check_codes(schemas: Schemas) -> Iterator[Problem]:
    """Concordances of lists that exist, from codes and to codes that their lists have."""
    for row in schemas.rows["concordances"]:
        ends = ends_of(schemas, row["concordance"])
        if not ends:
            lists = schemas.codes_by_list
            expected = "a file named <from>_<to>.csv after two code lists"
            yield row.problem("concordance", expected, nearest(row["concordance"], lists))
            continue
        for column, code_list in zip(("from_code", "to_code"), ends, strict=True):
            codes = {code["code"] for code in schemas.codes_by_list[code_list]}
            if not any(_covers(code, row[column]) for code in codes):
                expected = f"a code of the list {code_list}, or its first digits"
                known = cut(codes, len(row[column])) or codes
                yield row.problem(column, expected, nearest(row[column], known))


def ends_of(schemas: Schemas, concordance: str) -> tuple[str, str] | None:
    """The two code lists after which a concordance is named."""
    for sign in re.finditer("_", concordance):
        ends = concordance[: sign.start()], concordance[sign.end() :]
        if schemas.codes_by_list.keys() >= {*ends}:
            return ends
    return None


def codes_in(schemas: Schemas, name: str, wave: str, *, as_series: bool) -> set[str] | None:
    """Codes that an item can have in a wave: as asked, or after the changes; None if not asked.

    The set is empty for an item with numbers.
    """
    version = schemas.asked[name].get(wave)
    if version is None:
        return None
    if version["type"] == "option":
        return CHOSEN
    if version["type"] != "single":
        return set()
    codes = schemas.valid_codes(version["code_list"], [wave])
    for rule in schemas.rows["changes"] if as_series else ():
        if rule["item"] not in {name, version["question"]}:
            continue
        is_recode = rule["kind"] == "recode" and RECODE.fullmatch(rule["apply"])
        if is_recode and wave in rule.waves(schemas.waves):
            pairs = dict(pair.split("=") for pair in rule["apply"].split())
            moved = {pairs.get(code, code) for code in codes}
            known = schemas.valid_codes(version["code_list"], schemas.waves)
            codes = moved if moved <= known else moved | codes  # a wrong pair is said of the change
        elif rule["kind"] == "classification" and CLASSIFICATION.fullmatch(rule["apply"]):
            concordance, digits = rule["apply"].split()  # cut in every wave, mapped in these
            keys = schemas.rows["concordances"]
            mapped = {key["to_code"] for key in keys if key["concordance"] == concordance}
            codes = codes | cut(codes, int(digits)) | mapped
    return codes


def cut(codes: Iterable[str], digits: int) -> set[str]:
    """The first digits of codes, without patterns."""
    return {code[:digits] for code in codes if not PATTERN.fullmatch(code)}


def _covers(code: str, short: str) -> bool:
    """Whether a code, or a pattern, begins with these digits."""
    if PATTERN.fullmatch(code):
        return short.isdecimal() and len(short) <= len(code)
    return bool(short) and code.startswith(short)
