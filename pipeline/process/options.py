"""Options of a multi: ticked or not, each in a column of its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.tables import Answers, Items

CHOSEN, NOT_CHOSEN = "1", "0"
"""The codes of an option."""
CLASH = "exclusive_with_others"


def decode_options(answers: pd.DataFrame, *, chosen: str, not_chosen: str) -> None:
    """Set code and value of options in place; another text than the wave's two is a problem.

    `answers` has all items of each record in turn, with their type, question and `exclusive`.
    Where the tool leaves an unticked box empty (`not_chosen` is empty), an empty option is not
    chosen if another one of its question is. Where none is chosen, nothing was answered: not even
    'none of these'. An exclusive option beside another one is a problem of all of them.
    """
    rows = answers[Items.type] == "option"
    options = answers.loc[rows]
    text = options[Answers.text].to_numpy(dtype=object)
    reason = options[Answers.reason].to_numpy(dtype=object)
    readable = reason == ""
    ticked = readable & (text == chosen)
    empty = reason == "no_answer"
    unticked = (readable if not_chosen else empty) & (text == not_chosen)
    question = _questions(answers, np.flatnonzero(rows))
    count = _sums(question, ticked)
    clash = (count > 1) & (_sums(question, ticked & options[Items.exclusive].to_numpy()) > 0)
    answered = (ticked | unticked) & (count > 0)
    codes = np.where(ticked, CHOSEN, NOT_CHOSEN)
    answers.loc[rows, Answers.code] = np.where(answered, codes, "")
    answers.loc[rows, Answers.value] = np.where(answered, ticked.astype(np.float64), np.nan)
    reason = np.where(answered, "", np.where(unticked, "no_answer", reason))
    answers.loc[rows, Answers.reason] = reason
    strange = readable & ~ticked & ~unticked
    problem = np.where(strange, "code_not_in_list", np.where(answered & clash, CLASH, ""))
    answers.loc[rows, Answers.problem] = problem


def _questions(answers: pd.DataFrame, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """A number for each record and question, by option."""
    items = answers[Answers.item].nunique()
    kinds = pd.factorize(answers[Items.question].iloc[rows])[0]
    return np.asarray(rows // items * (kinds.max(initial=0) + 1) + kinds)


def _sums(question: npt.NDArray[np.intp], which: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """How many options of its question are such, by option."""
    return np.bincount(question, weights=which, minlength=1)[question].astype(np.intp)
