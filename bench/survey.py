"""How fast estimates are, beside what one would use instead, in one run on one machine.

    .venv/bin/python bench/survey.py --peers PYTHON --spark PYTHON [--largest 10000000]

`--peers` is an interpreter with svy, samplics and weightipy, `--spark` one with this package and
PySpark (needs Java 17); R survey runs where Rscript is.
Every measurement is a process alone: CPU seconds (user and system) of the work on ready-made data,
and the peak memory of the process. A tool that needs more than 120 CPU seconds is marked; one
known not to finish all items does one (`one`). Data are made up, in a temporary folder. Writes
`bench/survey.csv`; `bench/survey_page.py` makes `docs/speed.md` of it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
LIMIT = 120
"""CPU seconds after which a process is stopped, preparation included."""
WALL = 3600
"""Seconds after which it is stopped for waiting; Spark, whose CPU time is Java's, by these only."""
CHUNK = 500_000
LARGE = {"n": 1_000_000, "strata": 500, "domains": 60, "items": 20}
SMALL = {"n": 1_000, "strata": 12, "domains": 30, "items": 200}
MARGINS = (60, 4, 5)
PEERS = {
    "means": {"large": ["svy:one", "samplics:one", "R"], "small": ["svy", "samplics", "R"]},
    "raking": {
        "large": ["svy", "samplics", "weightipy", "R"],
        "small": ["svy", "samplics", "weightipy", "R"],
    },
    "medians": {"large": ["svy", "samplics", "R"]},
}
REPEATS = 3
"""Runs of this library; the fastest counts. Peers run once unless they need less than a second."""


def make(folder: Path, shape: dict[str, int], *, arrays: bool = True, parquet: bool = True) -> None:
    """Write a made-up table: as arrays for what works in memory, as Parquet for SQL."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(20_26)
    n, names = shape["n"], [f"y{i}" for i in range(shape["items"])]
    means = rng.normal(10, 3, shape["domains"])
    counts, writer, kept = np.zeros(shape["strata"]), None, []
    for start in range(0, n, CHUNK):
        size = min(CHUNK, n - start)
        h = rng.integers(0, shape["strata"], size, dtype=np.int32)
        d = rng.integers(0, shape["domains"], size, dtype=np.int32)
        w = rng.gamma(9, 1, size)
        y = rng.lognormal(0, 0.5, (shape["items"], size)) + means[d]
        counts += np.bincount(h, minlength=shape["strata"])
        if parquet:
            columns = {"h": h, "d": d, "w": w, **dict(zip(names, y, strict=True))}
            table = pa.table({name: pa.array(values) for name, values in columns.items()})
            writer = writer or pq.ParquetWriter(folder / "data.parquet", table.schema)
            writer.write_table(table, row_group_size=CHUNK // 4)
        if arrays:
            kept.append((h, d, w, y))
    if writer:
        writer.close()
    np.save(folder / "sizes.npy", counts * 3)
    (folder / "shape.json").write_text(json.dumps(shape), encoding="utf-8")
    if arrays:
        h, d, w, y = (np.concatenate([part[i] for part in kept], axis=-1) for i in range(4))
        _write_arrays(folder, rng, {"h": h, "d": d, "w": w, "y": y, "N": 3 * counts[h]})


def _write_arrays(folder: Path, rng: np.random.Generator, columns: dict[str, Any]) -> None:
    n = len(columns["w"])
    truth = rng.gamma(9, 1, n)
    for i, size in enumerate(MARGINS):
        margin = rng.permutation(np.arange(n) % size).astype(np.int32)
        columns[f"m{i}"] = margin
        truth = truth * (1 + 0.5 * margin / size)
    for i, size in enumerate(MARGINS):
        columns[f"t{i}"] = np.bincount(columns[f"m{i}"], weights=truth, minlength=size)
    for name, values in columns.items():
        whole = values.astype(np.int64) if values.dtype == np.int32 else values
        np.save(folder / f"{name}.npy", whole)
        values.tofile(folder / f"{name}.bin")  # for R


def measure(work: str, tool: str, folder: Path, python: str | None) -> dict[str, Any]:
    """One measurement in a process of its own; `finished` is False beyond the limit."""
    name, _, part = tool.partition(":")
    shape = json.loads((folder / "shape.json").read_text(encoding="utf-8"))
    if name == "R":
        size = [str(shape["n"]), str(shape["items"])]
        command = [shutil.which("Rscript") or "Rscript", str(HERE / "survey.R"), work, str(folder)]
        command += size
    else:
        own = sys.executable if name in {"here", "sql"} else str(python)
        script = str(HERE / "survey_works.py")
        command = [own, "-W", "ignore", script, f"{work}:{part}" if part else work, name]
        command.append(str(folder))
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    row = {"work": work, "tool": name, "part": part, **shape}
    run = subprocess.run(  # noqa: S603  (our own scripts)
        command,
        capture_output=True,
        text=True,
        timeout=WALL,
        env=environment,
        check=False,
        preexec_fn=None if name == "spark" else _limit,
    )
    if run.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        return {**row, "finished": False, "note": "not finished"}
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    if not lines:
        note = (run.stderr.strip().splitlines() or ["no output"])[-1]
        return {**row, "finished": False, "note": note[:200]}
    found = json.loads(lines[-1])
    result = " ".join(f"{value:.12g}" for value in found.pop("result"))
    return {**row, "finished": True, **found, "result": result}


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT + 5))


def fastest(work: str, tool: str, folder: Path, python: str | None) -> dict[str, Any]:
    """The run with the least CPU time; once only where it takes long or does not finish."""
    best = measure(work, tool, folder, python)
    for _ in range(REPEATS - 1):
        if not best["finished"] or best["cpu"] > 1:
            break
        best = min(best, measure(work, tool, folder, python), key=lambda row: row.get("cpu", 1e9))
    told = [f"{work:8} {tool:14} n={best['n']:<9}", best.get("cpu"), best.get("note", "")]
    print(*told, flush=True)  # noqa: T201
    return best


def side_by_side(folder: Path, peers: str | None) -> list[dict[str, Any]]:
    """The five works, this library and its peers."""
    rows = []
    for size, shape in (("large", LARGE), ("small", SMALL)):
        make(folder / size, shape)
        for work, tools in PEERS.items():
            if size not in tools:
                continue
            own = ["here", "sql"] if work == "means" else ["here"]
            for tool in [*own, *tools[size]]:
                here, is_r = tool in {"here", "sql"}, tool == "R"
                if here or (shutil.which("Rscript") if is_r else peers):
                    found = fastest(work, tool, folder / size, peers)
                    rows.append({"table": size, **found})
    return rows


def growth(folder: Path, largest: int, spark: str | None) -> list[dict[str, Any]]:
    """Work 1 from 1,000 rows on: in memory up to a million, SQL to the end, Spark from there on."""
    rows, n = [], 1_000
    while n <= largest:
        in_memory = n <= LARGE["n"]
        make(folder / f"rows{n}", {**LARGE, "n": n}, arrays=in_memory)
        tools = ["here", "sql"] if in_memory else ["sql"]
        tools += ["spark"] if spark and n >= LARGE["n"] else []
        found = [fastest("means", tool, folder / f"rows{n}", spark) for tool in tools]
        rows += [{"table": "growth", **row} for row in found]
        shutil.rmtree(folder / f"rows{n}")
        n *= 10
    return rows


def main() -> None:
    """Measure everything and write `bench/survey.csv`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=os.environ.get("SURVEY_PEERS"))
    parser.add_argument("--spark", default=os.environ.get("SURVEY_SPARK"))
    parser.add_argument("--largest", type=int, default=10_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = side_by_side(Path(temporary), arguments.peers)
        rows += growth(Path(temporary), arguments.largest, arguments.spark)
    order = ["table", "work", "tool", "part", "n", "strata", "domains", "items", "finished"]
    order += ["cpu", "wall", "mb", "building", "result", "note"]
    frame = pd.DataFrame(rows).reindex(columns=order)
    frame[["cpu", "wall", "building"]] = frame[["cpu", "wall", "building"]].round(5)
    frame["mb"] = frame["mb"].round(0)
    frame.to_csv(HERE / "survey.csv", index=False)


if __name__ == "__main__":
    main()
