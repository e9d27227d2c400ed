"""Make the files of the reference study from a made-up population, and the truth about it.

    python tests/population/make.py [--seed N] [--folder DIR]

writes `data/raw/` (registers, exports, corrections, wave.toml), `tests/population/truth.csv` and
`tests/population/dirt.csv` below the folder, and `schemas/questionnaire/columns.csv`. The same seed
gives the same bytes. Nothing in it is anybody's: firms, answers and errors are drawn.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

if not __package__:  # run as a script: the folder above holds the package
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from population.answers import draw_answers
from population.dirt import CORRECTIONS, LOG, Dirt
from population.draws import WAVES, stream
from population.exports import DAYS, FILES, FIRST_DAY, key_heading, write_export
from population.firms import Firms, draw_firms
from population.instrument import UNIPARK, column_map
from population.mishaps import spoil
from population.records import CHOSEN, write_records
from population.registers import add_dispositions, register, register_rows, write_table
from population.response import Response, draw_response
from population.sites import SMALL_DISTRICT
from population.truth import true_values

DEFAULT_SEED = 290
ROOT = Path(__file__).resolve().parents[2]
MISSING = {
    "-95": "not_asked",
    "-96": "routed_out",
    "-97": "refused",
    "-98": "dont_know",
    "-99": "no_answer",
}


@dataclass(frozen=True)
class Wave:
    """A wave of a population: its register, what each firm in it would answer, and the records.

    `register` and `answers` have one row a firm, in the same order, by firm id; `dirt` has the
    records as they were exported, the list of what was spoilt, and the corrections.
    """

    name: str
    register: pd.DataFrame
    answers: pd.DataFrame
    dirt: Dirt


@lru_cache(maxsize=2)
def draw_waves(seed: int) -> tuple[pd.DataFrame, tuple[Wave, ...]]:
    """Successions and all waves of the population of a seed."""
    firms = draw_firms(seed)
    response = draw_response(seed, firms)
    values = draw_answers(seed, firms, response.events)
    waves = tuple(_wave(seed, w, firms, response, values[w]) for w in range(len(WAVES)))
    return firms.succession, waves


def _wave(seed: int, wave: int, firms: Firms, response: Response, values: pd.DataFrame) -> Wave:
    rows = register_rows(firms, wave)
    table = register(firms, response, wave, rows)
    answered = response.answered[wave, rows]
    silent = table.loc[~answered & (table["scope"] == "1") & (table["design_weight"] != "0")]
    empty = str(stream(seed, f"empty {wave}").choice(silent["firm_id"].to_numpy()))
    records = write_records(seed, firms, wave, values, rows[answered])
    late = wave >= len(WAVES) - 2
    spared = set(table.loc[(table["district"] == SMALL_DISTRICT) & late, "firm_id"])
    dirt = spoil(seed, wave, records, spared, empty)
    broken_off = {firm for _, firm, kind, *_ in dirt.log if kind == "broken_off"}
    is_broken = table["firm_id"].isin(list(broken_off)).to_numpy()
    table = add_dispositions(seed, wave, table, answered, is_broken)
    return Wave(WAVES[wave], table, values.iloc[rows].reset_index(drop=True), dirt)


def make(folder: Path, seed: int) -> None:
    """Write everything below `data/raw/` of the study in `folder`."""
    succession, waves = draw_waves(seed)
    raw = folder / "data" / "raw"
    write_table(raw / "register" / "succession.csv", succession)
    for wave in waves:
        write_table(raw / "register" / f"{wave.name}.csv", wave.register)
        corrections = pd.DataFrame(wave.dirt.corrections, columns=list(CORRECTIONS))
        write_table(raw / wave.name / "corrections.csv", corrections.sort_values("firm_id"))
        (raw / wave.name / "wave.toml").write_bytes(_settings(wave.name).encode())
        write_export(raw / wave.name, seed, wave.name, wave.dirt.records)


def truth(seed: int) -> pd.DataFrame:
    """The true value of every indicator, by wave, breakdown and group (see `population.truth`)."""
    _, waves = draw_waves(seed)
    return pd.concat(
        [true_values(wave.name, wave.register, wave.answers) for wave in waves], ignore_index=True
    )


def dirt_list(seed: int) -> pd.DataFrame:
    """All that was spoilt: wave, firm, kind, heading of the column, what was written, the truth."""
    _, waves = draw_waves(seed)
    return pd.DataFrame([line for wave in waves for line in wave.dirt.log], columns=list(LOG))


def _settings(wave: str) -> str:
    """The wave's wave.toml."""
    first = FIRST_DAY[wave]
    lines = [
        f'wave = "{wave}"',
        f'files = ["{FILES[wave]}"]',
        f'key = "{key_heading(wave)}"',
        f'register = "{wave}.csv"',
        'corrections = "corrections.csv"',
        f"field_start = {first}",
        f"field_end = {first + dt.timedelta(DAYS - 1)}",
    ]
    if wave == UNIPARK:
        lines += ['decimal = ","', 'delimiter = ";"', 'encoding = "cp1252"']
    elif CHOSEN[wave] != ("1", "0"):
        lines += [f'chosen = "{CHOSEN[wave][0]}"', f'not_chosen = "{CHOSEN[wave][1]}"']
    codes = {"-9": "no_answer", "-77": "no_answer"} if wave == UNIPARK else MISSING
    lines += ["", "[missing]", *(f'"{code}" = "{reason}"' for code, reason in codes.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the study's files, its truth and its column map."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--folder", type=Path, default=ROOT)
    chosen = parser.parse_args()
    make(chosen.folder, chosen.seed)
    beside = chosen.folder / "tests" / "population"
    write_table(beside / "truth.csv", truth(chosen.seed))
    write_table(beside / "dirt.csv", dirt_list(chosen.seed))
    columns = pd.DataFrame(column_map(WAVES), columns=["wave", "column", "item"])
    write_table(chosen.folder / "schemas" / "questionnaire" / "columns.csv", columns)


if __name__ == "__main__":
    main()
