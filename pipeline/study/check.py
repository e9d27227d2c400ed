"""Whether the parts of a study fit together: every name that is used must exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from pipeline.errors import Problem, nearest
from pipeline.expressions import FormulaError, parse
from pipeline.study.model import Study
from pipeline.tables.flow import ALL, RESPONSE, REST

RECODE = re.compile(r"\S+=\S+( \S+=\S+)*")
FACTOR = re.compile(r"\* ?[0-9]+(\.[0-9]+)?")
FORMULAS = (
    ("items", "routing"),
    ("edits", "test"),
    ("edits", "condition"),
    ("indicators", "numerator"),
    ("indicators", "denominator"),
    ("indicators", "base"),
)


@dataclass(frozen=True)
class _Checker:
    """The study, its waves and its files; each method yields the problems of one kind."""

    study: Study
    waves: tuple[str, ...]
    files: Mapping[str, str]

    @property
    def items(self) -> set[str]:
        return set(self.study.items["item"])

    @property
    def lists(self) -> set[str]:
        return set(self.study.codes["code_list"])

    def rows(self, table: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Line number and content of each row of a table."""
        records = getattr(self.study, table).to_dict("records")
        for line, record in enumerate(cast("list[dict[str, str]]", records), 2):
            yield str(line), record

    def problem(self, table: str, line: str, column: str, found: str, expected: str) -> Problem:
        """A problem in one cell of a table whose advice is the nearest item."""
        return Problem(
            found=f"'{found}'" if found else "nothing",
            expected=expected,
            advice=nearest(found, self.items),
            file=self.files[table],
            row=line,
            item=column,
        )

    def references(self) -> Iterator[Problem]:
        """Items, code lists and waves that are named but do not exist."""
        for line, row in self.rows("items"):
            if row["type"] == "single" and row["code_list"] not in self.lists:
                yield Problem(
                    found=f"'{row['code_list']}'",
                    expected="a code list of codes.csv",
                    advice=nearest(row["code_list"], self.lists),
                    file=self.files["items"],
                    row=line,
                    item=row["item"],
                )
        for table in ("columns", "changes"):
            for line, row in self.rows(table):
                if row["item"] not in self.items:
                    yield self.problem(table, line, "item", row["item"], "an item of items.csv")
        for line, row in self.rows("edits"):
            for name in row["items"].split():
                if name not in self.items:
                    yield self.problem("edits", line, "items", name, "items of items.csv")

    def periods(self) -> Iterator[Problem]:
        """Waves that do not exist, or that end before they begin."""
        named = [("columns", "wave")]
        tables = ("items", "codes", "changes", "edits", "indicators")
        named += [(t, c) for t in tables for c in ("from_wave", "to_wave")]
        for table, column in named:
            for line, row in self.rows(table):
                wave = row[column]
                place = {"file": self.files[table], "row": line, "item": column}
                if wave not in self.waves and (wave or column == "wave"):
                    advice = nearest(wave, self.waves)
                    expected = "a wave with a folder below data/raw"
                    yield Problem(f"'{wave}'", expected, advice, **place)
                elif column == "to_wave" and wave and wave < row["from_wave"]:
                    advice = f"{row['from_wave']} or later, or empty for no end"
                    yield Problem(f"'{wave}'", "not before from_wave", advice, **place)

    def rules(self) -> Iterator[Problem]:
        """Changes and indicators whose parts do not fit their kind."""
        for line, row in self.rows("changes"):
            text = row["apply"]
            if row["kind"] == "unit" and not FACTOR.fullmatch(text):
                yield self.problem("changes", line, "apply", text, "a factor such as '* 1000'")
            if row["kind"] == "recode" and not RECODE.fullmatch(text):
                yield self.problem("changes", line, "apply", text, "pairs such as '1=3 2=2 3=1'")
        for line, row in self.rows("indicators"):
            if row["indicator"] == RESPONSE:
                yield self.problem("indicators", line, "indicator", RESPONSE, "another name")
            if not row["numerator"]:
                yield self.problem("indicators", line, "numerator", "", "a formula")
            if (row["kind"] == "ratio") != bool(row["denominator"]):
                expected = "a formula where the kind is ratio, else nothing"
                yield self.problem("indicators", line, "denominator", row["denominator"], expected)

    def formulas(self) -> Iterator[Problem]:
        """Formulas that cannot be read, or that name an item that does not exist."""
        for table, column in FORMULAS:
            for line, row in self.rows(table):
                if not row[column]:
                    continue
                try:
                    names = parse(row[column]).names
                except FormulaError as error:
                    advice = "see the formulas in CONTRIBUTING.md"
                    found = f"'{row[column]}' {error}"
                    file = self.files[table]
                    yield Problem(found, "a formula", advice, file=file, row=line, item=column)
                    continue
                for name in sorted(names - self.items):
                    expected = f"an item of items.csv in '{row[column]}'"
                    yield self.problem(table, line, column, name, expected)

    def settings(self) -> Iterator[Problem]:
        """Names in study.toml that do not exist elsewhere."""
        settings, register = self.study.settings, set(self.study.settings.register_columns)
        named = [("weighting.strata", n, register) for n in settings.weighting.strata]
        named += [("publication.breakdowns", n, register) for n in settings.publication.breakdowns]
        for name, column in settings.register_columns.items():
            named.append((f"register.{name}.code_list", column.code_list, self.lists))
        for pair in settings.benchmark:
            column_of = settings.register_columns.get(pair.breakdown)
            codes = self.study.codes
            in_list = codes["code_list"] == (column_of.code_list if column_of else "")
            groups = set(codes.loc[in_list, "code"])
            named.append(
                ("benchmark.breakdown", pair.breakdown, set(settings.publication.breakdowns))
            )
            named.append(("benchmark.group", pair.group, groups))
            named.append(("benchmark.reference", pair.reference, groups | {REST}))
        for item, value, known in named:
            if value not in known:
                yield Problem(
                    found=f"'{value}'",
                    expected="a name that exists",
                    advice=nearest(value, known),
                    file="study.toml",
                    item=item,
                )
        if ALL in register:
            advice = "rename the column: this name stands for everybody"
            yield Problem(f"'{ALL}'", "another name", advice, file="study.toml", item="register")


def check_study(study: Study, waves: tuple[str, ...], files: Mapping[str, str]) -> list[Problem]:
    """Every reference that dangles and every rule that cannot be read, with file and line.

    `files` says which csv file (below schemas/) each table came from.
    """
    checker = _Checker(study, waves, files)
    return [
        *checker.references(),
        *checker.periods(),
        *checker.rules(),
        *checker.formulas(),
        *checker.settings(),
    ]
