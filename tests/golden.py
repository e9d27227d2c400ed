"""The expected tables of the reference study: what its newest wave must come to, to the last digit.

    python tests/golden.py

writes them anew to `tests/expected/` after a change of method, which the changelog must name: the
difference in version control shows which figures moved. They come from one seed of a population
whose truth is known; over many seeds they are right (`bench/golden.py`).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = ROOT / "tests" / "expected"
TABLES = ("weights", "quality", "estimates", "changes", "benchmarks", "clearance")
DIGITS = 10
"""Significant digits that are compared: sums may differ in the last ones between machines."""


def expected_tables(results: Path) -> dict[str, pd.DataFrame]:
    """The tables of a run as they are compared: the newest wave whole, of others all firms."""
    tables = {}
    for name in TABLES:
        table = pd.read_parquet(results / f"{name}.parquet")
        newest = table["wave"] == table["wave"].max()
        if name == "weights":  # a row per stratum; firms of one stratum may differ by design weight
            kept = table[table["responded"]].groupby(["wave", "stratum"], as_index=False)
            tables[name] = kept.agg(responded=("weight", "size"), weight=("weight", "sum"))
        elif name == "quality":
            tables[name] = table[newest]
        else:
            tables[name] = table[newest | (table["breakdown"] == "all")]
    return tables


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers with ten significant digits; what is zero but for rounding is 0."""
    text = table.copy()
    for column in text.select_dtypes("float").columns:
        tiny = text[column].abs() < 10.0**-DIGITS
        values = text[column].where(~tiny, 0.0)
        text[column] = [f"{v:.{DIGITS}g}" if pd.notna(v) else "" for v in values]
    return text.astype(str).reset_index(drop=True)


def main() -> None:
    """Run the reference study in a folder of its own and write its tables."""
    from pipeline.run import Run
    from pipeline.study import read_study
    from pipeline.wave import run_wave

    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder)
        (study / "data").mkdir()
        (study / "schemas").symlink_to(ROOT / "schemas")
        (study / "data" / "raw").symlink_to(ROOT / "data" / "raw")
        described = read_study(study)
        wave = max(path.parent.name for path in described.raw.glob("*/wave.toml"))
        run_wave(described, wave, Run())
        EXPECTED.mkdir(exist_ok=True)
        for name, table in expected_tables(described.processed / wave).items():
            as_text(table).to_csv(EXPECTED / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
