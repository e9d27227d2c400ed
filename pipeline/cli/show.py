"""What the commands print: tables for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

    from pipeline.cli.doctor import Check
    from pipeline.cli.flow import Stage
    from pipeline.disclosure.cases import Finding
    from pipeline.draft import Draft
    from pipeline.errors import MittelwelleError
    from pipeline.releases import Edition
    from pipeline.run import Step
    from pipeline.tables.releases import Status


RECORDS = (
    "Wave {wave}: {records_in} rows in = {records_taken} taken + {records_rejected} rejected; "
    "{values_quarantined} values set aside"
)
STATUS = {
    "new": "new",
    "unchanged": "as released",
    "changed": "as released, though they would come out differently today",
    "suppressed": "not shown",
    "withheld": "withheld",
}
"""What is said of the numbers of a release."""
LISTED = 10
"""Of more, only the first ones are printed; --json has all."""
PROTECTED = (
    "Disclosure control, waves up to {wave}: "
    "{cells:,} cells with an answer, {published:,} published",
    "  not published: {primary:,} by a rule, {secondary:,} for others, {attack:,} by the audit, "
    "{part:,} as parts",
    "  {attacks:,} attacks proved to fail in {programmes:,} programmes, {when}",
)
ROOM = ("  least room of an amount: {room:.1f} times what is needed",)
KNOWN = (
    "  {known:,} figures cannot be protected any more: what readers know",
    "  ([publication] known) or earlier releases tell them (column known of",
    "  protection.parquet says in which)",
)
CHANGED = (
    "{number:,} numbers would come out differently today ({waves}). They stay as they were "
    "released: what a revision differs by tells of the firms that were corrected or answered late."
)
WITHHELD = (
    "{number:,} new numbers are withheld ({waves}): raw files or definitions have changed since "
    "waves that they are made of were released, so they cannot be audited beside those releases."
)
BESIDE: dict[Status, str] = {"changed": CHANGED, "withheld": WITHHELD}


class Console:
    """Prints results on standard output, progress and errors on standard error."""

    def __init__(self, *, quiet: bool, as_json: bool) -> None:
        self._quiet, self._as_json = quiet, as_json

    @contextmanager
    def working(self) -> Iterator[Callable[[str, str], None]]:
        """Show on a terminal which stage is at work; yields the function that is told."""
        if self._quiet or self._as_json or not sys.stderr.isatty():
            yield lambda wave, stage: None  # noqa: ARG005
            return
        with _rich(sys.stderr).status("reading the study …") as status:
            yield lambda wave, stage: status.update(f"wave {wave}: {stage} …")

    def wave(
        self,
        wave: str,
        steps: Sequence[Step],
        records: Sequence[Mapping[Hashable, Any]],
        draft: Draft,
        *,
        data: Path,
    ) -> None:
        """Stages with rows and seconds, what validation took out, reports, what to look into."""
        if self._as_json:
            self._json(
                {
                    "wave": wave,
                    "stages": [asdict(step) for step in steps],
                    "records": [dict(record) for record in records],
                    "reports": [str(path) for path in draft.reports],
                    "data": str(data),
                    "protected": draft.protected,
                    **_beside_releases(draft),
                }
            )
        elif not self._quiet:
            columns = ["Wave", "Stage", "Rows in", "Rows out", "Seconds"]
            rows = [
                [s.wave, _named(s), _count(s.rows_in), _count(s.rows_out), f"{s.seconds:.2f}"]
                for s in steps
            ]
            total = f"{sum(s.seconds for s in steps):.2f}"
            self._table(
                f"Wave {wave}", columns, [*rows, ["", "all stages", "", "", total]], right=3
            )
            lines = [RECORDS.format_map(record) for record in records]
            lines += [*_protected(wave, steps, draft), "", "Reports:", *map(str, draft.reports), ""]
            lines.append(f"For the analyst only (findings by line, all tables): {data}")
            self._lines([*lines, *_looked_into(draft)])

    def release(self, wave: str, steps: Sequence[Step], draft: Draft, edition: Edition) -> None:
        """How the numbers of a release stand to those before, how firms are protected, files."""
        if self._as_json:
            self._json(
                {
                    "wave": wave,
                    "edition": edition.number,
                    "added": edition.added,
                    "numbers": draft.counts,
                    "protected": draft.protected,
                    "files": [str(path) for path in edition.files],
                    **_beside_releases(draft),
                }
            )
        elif not self._quiet:
            counts = ", ".join(f"{draft.counts.get(s, 0):,} {said}" for s, said in STATUS.items())
            told = f"Edition {edition.number} is added to the ledger. Commit both files:"
            same = f"Nothing new: the ledger stays as it is, with edition {edition.number}."
            lines = [f"Wave {wave}, numbers: {counts}", *_protected(wave, steps, draft)]
            lines += [*_looked_into(draft), ""]
            self._lines([*lines, told if edition.added else same, *map(str, edition.files)])

    def flow(self, stages: Sequence[Stage]) -> None:
        """The stages in order."""
        if self._as_json:
            self._json([asdict(stage) for stage in stages])
            return
        columns = ["GSBPM", "Stage", "Takes", "Makes"]
        rows = [[s.phase, s.name, "\n".join(s.takes), "\n".join(s.makes)] for s in stages]
        self._table("From exports to reports", columns, rows)

    def doctor(self, checks: Sequence[Check]) -> None:
        """The state of each part."""
        if self._as_json:
            self._json([asdict(check) for check in checks])
            return
        rows = [[c.part, c.state, c.found, c.advice] for c in checks]
        self._table("Doctor", ["Part", "State", "Found", "What to do"], rows)

    def audit(self, findings: Sequence[Finding]) -> None:
        """What a reader knows of each target."""
        safe = all(finding.verdict == "safe" for finding in findings)
        if self._as_json:
            targets = {f.target: {"lo": f.lo, "hi": f.hi, "verdict": f.verdict} for f in findings}
            self._json({"safe": safe, "targets": targets})
            return
        rows = [[f.target, _end(f.lo), _end(f.hi), f.verdict.replace("_", " ")] for f in findings]
        title = "Safe" if safe else "Not safe: what is told gives targets away"
        self._table(title, ["Target", "At least", "At most", "Verdict"], rows)

    def error(self, error: MittelwelleError) -> None:
        """All problems at once."""
        problems = [asdict(problem) for problem in error.problems]
        if self._as_json:
            self._json({"error": error.title, "problems": problems})
            return
        console = _rich(sys.stderr)
        console.print(f"[bold red]{error.title}[/] ({len(problems)})")
        for problem in problems:
            place = [f"{k} {problem[k]}" for k in ("wave", "file", "row", "item") if problem[k]]
            console.print(" · ".join(place) or "—", style="bold", markup=False, highlight=False)
            for label, key in (("found", "found"), ("expected", "expected"), ("do", "advice")):
                console.print(f"  {label + ':':<10}{problem[key]}", markup=False, highlight=False)

    @staticmethod
    def _lines(lines: Sequence[str]) -> None:
        console = _rich(sys.stdout)
        for line in lines:
            console.print(line, soft_wrap=True, highlight=False, markup=False)

    @staticmethod
    def _json(value: Any) -> None:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    @staticmethod
    def _table(title: str, columns: list[str], rows: list[list[str]], right: int = 0) -> None:
        """Print a table whose last `right` columns are numbers."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
        for place, column in enumerate(columns):
            table.add_column(column, justify="right" if len(columns) - place <= right else "left")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        _rich(sys.stdout).print(table)


def _beside_releases(draft: Draft) -> dict[str, Any]:
    """For machines: what stays as released, what is withheld, and what to look into."""
    found: dict[str, Any] = {status: draft.of_status(status) for status in BESIDE}
    return {**found, "notes": [asdict(note) for note in draft.notes]}


def _protected(wave: str, steps: Sequence[Step], draft: Draft) -> list[str]:
    """What disclosure control did."""
    (audit,) = (step for step in steps if step.stage == "secure")
    when = "in an earlier run" if audit.unchanged else f"{audit.seconds:.1f} s"
    protected = {"wave": wave, "when": when, **draft.protected}
    said = PROTECTED + (ROOM if "room" in protected else ())
    said += KNOWN if draft.protected["known"] else ()
    return [line.format(**protected) for line in said]


def _looked_into(draft: Draft) -> Iterator[str]:
    """What would differ from what was released, and what else is wrong with it, as lines."""
    for status, said in BESIDE.items():
        if by_wave := draft.of_status(status):
            ids = [name for names in by_wave.values() for name in names]
            more = " …" * (len(ids) > LISTED)
            waves = ", ".join(f"{wave}: {len(names):,}" for wave, names in by_wave.items())
            yield ""
            yield said.format(number=len(ids), waves=waves)
            yield f"  {', '.join(ids[:LISTED])}{more}"
    for note in draft.notes[:LISTED]:
        yield ""
        yield " · ".join(part for part in (note.wave, note.file, note.item) if part)
        yield from (f"  {note.found}", f"  expected: {note.expected}", f"  do: {note.advice}")
    if len(draft.notes) > LISTED:
        yield f"… and {len(draft.notes) - LISTED:,} more: --json has all"


def _rich(file: Any) -> RichConsole:
    from rich.console import Console as RichConsole

    return RichConsole(file=file)


def _named(step: Step) -> str:
    return f"{step.stage} (unchanged)" if step.unchanged else step.stage


def _end(value: float | None) -> str:
    return "–" if value is None else f"{value:,.10g}"


def _count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"
