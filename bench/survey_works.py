"""The works of `bench/survey.py`, one function per work and tool; each runs in a process alone.

    python bench/survey_works.py WORK TOOL FOLDER

Prints JSON: CPU seconds (user and system) of the work on ready-made data, the peak memory of the
process in MB, and some numbers of the result, by which the runs are compared. Tools import what
they need themselves: each may need an interpreter of its own.
"""

# ruff: noqa: PLC0415  (see above)
from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Prepared = Callable[[], Any]
"""The work itself; what makes it ready has been done."""


def load(folder: Path) -> dict[str, Any]:
    """The columns of a made-up table: y (p, n), strata h, domains d, margins, weights w."""
    data: dict[str, Any] = {f.stem: np.load(f, mmap_mode=None) for f in folder.glob("*.npy")}
    return data | json.loads((folder / "shape.json").read_text(encoding="utf-8"))


def design_of(data: dict[str, Any]) -> Any:
    """The design of this library."""
    from pipeline import survey

    sizes = dict(enumerate(data["sizes"].tolist()))
    return survey.Design.from_sample(np.arange(len(data["w"])), data["h"], data["w"], sizes)


def means_here(folder: Path) -> Prepared:
    """Means in memory."""
    import pandas as pd

    from pipeline.survey.domains import means_by

    data = load(folder)
    design = design_of(data)
    domains = pd.Categorical.from_codes(data["d"], categories=range(data["domains"]))

    def work() -> Any:
        by = means_by(design, data["y"], domains)
        return [by.estimate[0, 0], by.se[0, 0], by.se[0, -1]]

    return work


def means_sql(folder: Path) -> Prepared:
    """Means from a Parquet file through DuckDB."""
    from pipeline.engines import duckdb_engine

    return _means_by(duckdb_engine(memory="2GB"), folder)


def means_spark(folder: Path) -> Prepared:
    """Means from a Parquet file through Spark on this machine, which has been started."""
    import pandas as pd

    from pipeline.engines import spark_engine

    engine = spark_engine()
    engine("SELECT a, count(*) AS n FROM data GROUP BY a", {"data": pd.DataFrame({"a": [1]})})
    return _means_by(engine, folder)


def _means_by(engine: Any, folder: Path) -> Prepared:
    """Means by the passes of an engine."""
    from pipeline.survey import passes
    from pipeline.survey.domains import means

    shape = json.loads((folder / "shape.json").read_text(encoding="utf-8"))
    sizes, items = np.load(folder / "sizes.npy"), [f"y{i}" for i in range(shape["items"])]

    def work() -> Any:
        table = str(folder / "data.parquet")
        sums = passes.moments(engine, table, items, weight="w", stratum="h", domain="d")
        by = means(sums, sizes[np.asarray(sums.strata, dtype=np.int64)])
        return [by.estimate[0, 0], by.se[0, 0], by.se[0, -1]]

    return work


def _svy(data: dict[str, Any], items: int) -> Any:
    import polars as pl
    import svy

    columns = {"h": data["h"], "d": data["d"], "w": data["w"], "N": data["sizes"][data["h"]]}
    columns |= {f"y{i}": data["y"][i] for i in range(items)}
    columns |= {f"m{i}": data[f"m{i}"] for i in range(3)}
    design = svy.Design(stratum="h", wgt="w", pop_size="N")
    return svy.Sample(pl.DataFrame(columns), design)


def means_svy(folder: Path, items: int | None = None) -> Prepared:
    """Means with svy."""
    data = load(folder)
    count = items or data["items"]
    sample = _svy(data, count)

    def work() -> Any:
        found = sample.estimation.mean([f"y{i}" for i in range(count)], by="d").to_polars()
        rows = found.filter(found["y"] == "y0").sort("d") if "y" in found.columns else found
        return [rows["est"][0], rows["se"][0], rows["se"][-1]]

    return work


def means_samplics(folder: Path, items: int | None = None) -> Prepared:
    """Means with samplics, one item after the other, as it takes one."""
    from samplics.estimation import TaylorEstimator
    from samplics.utils.types import PopParam

    data = load(folder)
    h, d, w = data["h"], data["d"], data["w"]
    rate = np.bincount(h) / data["sizes"]
    fpc = {k: float(1 - f) for k, f in enumerate(rate)}

    def work() -> Any:
        result: list[float] = []
        for i in range(items or data["items"]):
            taylor = TaylorEstimator(PopParam.mean)
            taylor.estimate(data["y"][i], w, stratum=h, domain=d, fpc=fpc)
            if i == 0:
                last = data["domains"] - 1
                result = [taylor.point_est[0], taylor.stderror[0], taylor.stderror[last]]
        return result

    return work


def raking_here(folder: Path) -> Prepared:
    """Raking on collapsed cells; coding the cells is part of the work."""
    from pipeline.survey.ipf import rake_cells

    data = load(folder)
    margins, totals = [data[f"m{i}"] for i in range(3)], [data[f"t{i}"] for i in range(3)]

    def work() -> Any:
        return rake_cells(data["w"], margins, totals)[:3].tolist()

    return work


def raking_svy(folder: Path) -> Prepared:
    """Raking with svy."""
    data = load(folder)
    sample = _svy(data, 0)
    controls = {f"m{i}": dict(enumerate(data[f"t{i}"].tolist())) for i in range(3)}

    def work() -> Any:
        raked = sample.weighting.rake(controls=controls, tol=1e-10, max_iter=500)
        return raked.data["rk_wgt"][:3].to_list()

    return work


def raking_samplics(folder: Path) -> Prepared:
    """Raking with samplics."""
    from samplics.weighting import SampleWeight

    data = load(folder)
    margins = {f"m{i}": data[f"m{i}"] for i in range(3)}
    control = {f"m{i}": dict(enumerate(data[f"t{i}"].tolist())) for i in range(3)}

    def work() -> Any:
        run = {"tol": 1e-10, "ctrl_tol": 1e-10, "max_iter": 500}
        return SampleWeight().rake(data["w"], margins=margins, control=control, **run)[:3].tolist()

    return work


def raking_weightipy(folder: Path) -> Prepared:
    """Raking with weightipy, which starts from weights of 1: its result is another one."""
    import pandas as pd
    import weightipy

    data = load(folder)
    frame = pd.DataFrame({f"m{i}": data[f"m{i}"] for i in range(3)})
    shares = {
        f"m{i}": dict(enumerate((100 * data[f"t{i}"] / data[f"t{i}"].sum()).tolist()))
        for i in range(3)
    }

    def work() -> Any:
        run = {"convcrit": 1e-10, "max_iterations": 500}
        scheme = weightipy.scheme_from_dict(shares, name="s", rim_params=run)
        return weightipy.weight_dataframe(frame, scheme, "weights")["weights"][:3].tolist()

    return work


def medians_here(folder: Path) -> Prepared:
    """Medians in memory."""
    import pandas as pd

    from pipeline.survey.fast_quantiles import quantiles_by

    data = load(folder)
    design = design_of(data)
    domains = pd.Categorical.from_codes(data["d"], categories=range(data["domains"]))

    def work() -> Any:
        found = quantiles_by(design, data["y"][0], domains)
        return [found.estimate[0], found.se[0], found.se[-1]]

    return work


def medians_svy(folder: Path) -> Prepared:
    """Medians with svy."""
    sample = _svy(load(folder), 1)

    def work() -> Any:
        found = sample.estimation.median("y0", by="d").to_polars().sort("d")
        return [found["est"][0], found["se"][0], found["se"][-1]]

    return work


def medians_samplics(folder: Path) -> Prepared:
    """Medians with samplics."""
    from samplics.estimation import TaylorEstimator
    from samplics.utils.types import PopParam

    data = load(folder)

    def work() -> Any:
        taylor = TaylorEstimator(PopParam.median)
        taylor.estimate(data["y"][0], data["w"], stratum=data["h"], domain=data["d"])
        return [taylor.point_est[0], taylor.stderror[0], taylor.stderror[data["domains"] - 1]]

    return work


def peak() -> float:
    """Peak memory of this process in MB; what `getrusage` says includes that of its parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Run one work with one tool."""
    work, tool, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    alone = {"items": 1} if work.endswith(":one") else {}
    prepared = globals()[f"{work.split(':')[0]}_{tool}"](folder, **alone)
    before, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    result = prepared()
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - wall
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    line = {"cpu": cpu, "wall": seconds, "mb": peak(), "result": result}
    sys.stdout.write(json.dumps(line, default=float) + "\n")


if __name__ == "__main__":
    main()
