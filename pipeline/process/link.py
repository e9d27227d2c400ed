"""Link: a firm that went on under another id is one firm over time."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import Problem, StudyError, nearest
from pipeline.tables import Answers, Register, Successions

FILE = "succession.csv"


@pa.check_types
def link(
    answers: DataFrame[Answers],
    register: DataFrame[Register],
    successions: DataFrame[Successions],
) -> tuple[DataFrame[Answers], DataFrame[Register]]:
    """Answers and register with one id for each firm over all waves (GSBPM 5.1, integrate).

    Rows of waves before `wave` of a firm that `continues` get the successor's id, through several
    years where a successor has one itself; a holding that is the firm's own goes with it. All
    others keep their id. Successions after the newest wave of the register are not yet. Raises
    StudyError where a successor is not in the register of that wave, where two firms continue into
    one, and where a wave's register would then have a firm twice.
    """
    known = successions[successions[Successions.wave] <= register[Register.wave].max()]
    known = known.sort_values([Successions.wave, Successions.firm_id])
    going_on = known[known[str(Successions.continues)]]
    answers, register = answers.copy(), register.copy()
    problems = [*_unknown(known, register), *_competing(going_on)]
    for wave, pairs in going_on.groupby(Successions.wave):
        successor = dict(zip(pairs[Successions.firm_id], pairs[Successions.successor], strict=True))
        for table in (register, answers):
            rows = (table[Register.wave] < wave) & table[Register.firm_id].isin(list(successor))
            old = table.loc[rows, Register.firm_id]
            table.loc[rows, Register.firm_id] = old.map(successor)
            if table is register:
                own = old.index[old == table.loc[rows, Register.holding]]
                table.loc[own, Register.holding] = table.loc[own, Register.firm_id]
    problems += _twice(register)
    if problems:
        raise StudyError(problems)
    return DataFrame[Answers](answers), DataFrame[Register](register)


def _unknown(known: pd.DataFrame, register: pd.DataFrame) -> Iterator[Problem]:
    for wave, pairs in known.groupby(Successions.wave):
        firms = set(register.loc[register[Register.wave] == wave, Register.firm_id])
        for successor in sorted(set(pairs[Successions.successor]) - firms):
            yield Problem(
                found=f"successor '{successor}'",
                expected="a firm of that wave's register",
                advice=nearest(successor, firms) if firms else "name a wave that has a register",
                wave=str(wave),
                file=FILE,
                item=str(Successions.successor),
            )


def _competing(going_on: pd.DataFrame) -> Iterator[Problem]:
    for successor, pairs in going_on.groupby(Successions.successor):
        if len(pairs) > 1:
            yield Problem(
                found=f"{' and '.join(pairs[Successions.firm_id])} continue as '{successor}'",
                expected="one firm that the successor continues",
                advice="say yes for the firm with which it is to be compared over time",
                wave=str(pairs[Successions.wave].iloc[-1]),
                file=FILE,
                item=str(Successions.continues),
            )


def _twice(register: pd.DataFrame) -> Iterator[Problem]:
    key = [Register.wave, Register.firm_id, Register.variable]
    again = register.loc[register.duplicated(key), key[:2]].drop_duplicates().sort_values(key[:2])
    for wave, firm in again.itertuples(index=False):
        yield Problem(
            found=f"'{firm}' twice",
            expected="a successor that is not yet in the registers before",
            advice="let the firm leave (continues: nothing); the one that was there goes on",
            wave=wave,
            file=FILE,
            item=str(Successions.successor),
        )
