"""What a run notes of its stages."""

import pandas as pd
import pytest

from pipeline.run import Run


def halve(table: pd.DataFrame, other: pd.DataFrame, *, keep: int = 1) -> pd.DataFrame:
    """Every second row, `keep` times."""
    return pd.concat([table.iloc[::2]] * keep)


def count(number: int) -> int:
    """One more."""
    return number + 1


def test_a_run_hands_on_the_result_and_notes_rows_and_time():
    run = Run(wave="w1")
    result = run(halve, pd.DataFrame({"a": range(6)}), pd.DataFrame({"b": range(9)}), keep=2)
    assert result["a"].tolist() == [0, 2, 4, 0, 2, 4]
    (step,) = run.steps
    assert (step.wave, step.stage, step.rows_in, step.rows_out) == ("w1", "halve", 6, 6)
    assert step.seconds >= 0


def test_a_stage_without_tables_has_no_rows():
    run = Run()
    assert run(count, 1) == 2
    assert (run.steps[0].rows_in, run.steps[0].rows_out) == (None, None)


def test_stages_are_announced_before_they_run_and_noted_in_order():
    heard = []
    run = Run(lambda wave, stage: heard.append((wave, stage, len(run.steps))))
    for run.wave in ("w1", "w2"):
        run(count, 0)
    assert heard == [("w1", "count", 0), ("w2", "count", 1)]
    assert [(step.wave, step.stage) for step in run.steps] == [("w1", "count"), ("w2", "count")]


def test_a_stage_that_fails_is_announced_and_not_noted():
    heard = []
    run = Run(lambda wave, stage: heard.append(stage))
    with pytest.raises(TypeError):
        run(count, "one")
    assert heard == ["count"]
    assert run.steps == []
