"""What can go wrong, by name; each error carries every problem found, not only the first."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EXIT_USER = 2
"""Exit code of a mistake that the user can mend (bad input, unknown wave, missing part)."""
EXIT_REFUSED = 3
"""Exit code of a run that was refused because nothing safe could be published."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: where, what was found, what was expected, what to do."""

    found: str
    expected: str
    advice: str
    wave: str = ""
    file: str = ""
    row: str = ""
    item: str = ""


def nearest(name: str, known: Iterable[str]) -> str:
    """The likeliest correction of a name, or what there is, as a sentence of advice."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}"


class MittelwelleError(Exception):
    """Base of all errors shown to the user as a table of problems, never as a traceback."""

    exit_code = EXIT_USER
    title = "Cannot go on"

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (
            (problems,) if isinstance(problems, Problem) else tuple(problems)
        )
        super().__init__("; ".join(f"{p.file or p.wave}: {p.found}" for p in self.problems))


class StudyError(MittelwelleError):
    """The study's own description (`schemas/`, `wave.toml`) is incomplete or contradicts itself."""

    title = "The study cannot be read"


class UnknownWaveError(MittelwelleError):
    """The wave asked for has no folder under `data/raw/`."""

    title = "No such wave"


class ExportError(MittelwelleError):
    """A delivered file cannot be taken: missing, empty, broken, or not what `wave.toml` says."""

    title = "The delivered files cannot be taken"


class StoreError(MittelwelleError):
    """The store cannot be opened or written (locked by another run, not a database)."""

    title = "The store cannot be used"


class LedgerError(StoreError):
    """The files in `releases/` are not what releases wrote."""

    title = "The ledger cannot be read"


class DisclosureError(MittelwelleError):
    """No safe publication was found; nothing is published."""

    exit_code = EXIT_REFUSED
    title = "Nothing is published"


class RenderError(MittelwelleError):
    """A report could not be rendered as it must be (fonts, accessibility, unknown number)."""

    title = "The report cannot be made"
