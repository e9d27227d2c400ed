"""The same changes by two other packages: R's survey, and svy for another Python.

Both get the respondents of each replication as a file and return change, standard error and
degrees of freedom in three ways that they offer:

- `independent`: each wave on its own with its finite-population correction, no covariance;
- `stacked`: both waves as one sample of firms, with covariance and without correction;
- `stacked, corrected`: the same with a correction, n and N being the firms that answered in one
  wave or both and those on one register or both.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pandas as pd
from coverage_census import Bools, Census
from scipy.special import stdtrit

ITEMS = (
    ("balance", "I05"),
    ("balance", "I06"),
    ("share", "I19"),
    ("share", "I09"),
    ("mean", "B08"),
    ("mean", "D07"),
)
"""Items that all firms are asked."""
OWN = "Mittelwelle"

R_SCRIPT = """
suppressMessages(library(survey))
options(survey.lonely.psu = "adjust")
files <- commandArgs(trailingOnly = TRUE)
all <- read.csv(files[1], colClasses = c(firm = "character", stratum = "character",
                                         first = "character"))
items <- grep("^y", names(all), value = TRUE)
f <- reformulate(items)
out <- list()
for (x in split(all, list(all$setting, all$replication), drop = TRUE)) {
  both <- function(way, design) {
    s <- svyby(f, ~wave, design, svymean, covmat = TRUE)
    v <- vcov(s); b <- coef(s); w <- levels(factor(x$wave))
    for (i in items) {
      k <- paste(w, i, sep = ":")
      se <- sqrt(sum(c(-1, 1) * (v[k, k] %*% c(-1, 1))))
      out[[length(out) + 1]] <<- data.frame(setting = x$setting[1], replication = x$replication[1],
        way = way, item = i, change = b[[k[2]]] - b[[k[1]]], se = se, df = degf(design))
    }
  }
  both("stacked", svydesign(id = ~firm, strata = ~first, weights = ~weight, data = x))
  both("stacked, corrected",
       svydesign(id = ~firm, strata = ~first, weights = ~weight, fpc = ~either, data = x))
  d <- lapply(split(x, x$wave), function(y)
    svydesign(id = ~firm, strata = ~stratum, weights = ~weight, fpc = ~register, data = y))
  m <- lapply(d, function(y) svymean(f, y))
  se <- sqrt(SE(m[[1]])^2 + SE(m[[2]])^2)
  out[[length(out) + 1]] <- data.frame(setting = x$setting[1], replication = x$replication[1],
    way = "independent", item = items, change = coef(m[[2]]) - coef(m[[1]]), se = as.numeric(se),
    df = min(sapply(d, degf)))
}
write.csv(do.call(rbind, out), files[2], row.names = FALSE)
"""

SVY_SCRIPT = """
import sys
import polars as pl
import svy

table = pl.read_csv(sys.argv[1], schema_overrides={"firm": pl.String, "wave": pl.String})
items = [c for c in table.columns if c.startswith("y")]
out = []


def keep(key, way, item, est, se, df):
    out.append({"setting": key[0], "replication": key[1], "way": way, "item": item,
                "change": est, "se": se, "df": df})


def design(stratum, size):
    return svy.Design(stratum=stratum, psu="firm", wgt="weight", pop_size=size, singleton="center")


for key, x in table.group_by(["setting", "replication"], maintain_order=True):
    waves = sorted(x["wave"].unique().to_list())
    for way, size in (("stacked", None), ("stacked, corrected", "either")):
        sample = svy.Sample(x, design("first", size))
        for item in items:
            result = sample.estimation.mean(item, by="wave")
            gap = result.contrast(svy.estd(waves[1]) - svy.estd(waves[0]))
            row = gap.to_polars().row(0, named=True)
            keep(key, way, item, row["est"], row["se"], row["df"])
    own = design("stratum", "register")
    apart = [svy.Sample(x.filter(pl.col("wave") == w), own) for w in waves]
    for item in items:
        a, b = (s.estimation.mean(item).to_polars().row(0, named=True) for s in apart)
        keep(key, "independent", item, b["est"] - a["est"], (a["se"] ** 2 + b["se"] ** 2) ** 0.5,
             min(a["df"], b["df"]))
pl.DataFrame(out).write_csv(sys.argv[2])
"""


def stacked(waves: tuple[Census, ...], answers: list[Bools]) -> pd.DataFrame:
    """The respondents of two waves one below the other, as both packages need them.

    `first` is the stratum of the first wave that knows the firm, `either` the firms with it.
    """
    known = [pd.Series(firms.strata, index=firms.ids) for firms in waves]
    first = known[0].combine_first(known[1])
    either = first.map(first.value_counts())
    parts = []
    for number, (firms, answered) in enumerate(zip(waves, answers, strict=True)):
        sizes = known[number].value_counts()
        stratum = known[number][answered]
        part = pd.DataFrame({"firm": firms.ids[answered], "wave": number + 1})
        part["stratum"] = stratum.to_numpy()
        part["register"] = stratum.map(sizes).to_numpy()
        part["weight"] = (stratum.map(sizes) / stratum.map(stratum.value_counts())).to_numpy()
        part["first"] = first[part["firm"]].to_numpy()
        part["either"] = either[part["firm"]].to_numpy()
        for item, key in enumerate(ITEMS):
            part[f"y{item}"] = firms.above[key][answered]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def commands(folder: Path, python: str) -> list[tuple[str, ...]]:
    """Name, program and script of each package that is there."""
    found = []
    for package, program, script, name in (
        ("R survey", "Rscript", R_SCRIPT, "changes.R"),
        ("svy", python, SVY_SCRIPT, "changes.py"),
    ):
        path = shutil.which(program) if program else None
        if path is None or not _has(path, package):
            print(f"{package} is not here: left out")  # noqa: T201 (a script)
            continue
        (folder / name).write_text(script, encoding="utf-8")
        found.append((package, path, str(folder / name)))
    return found


def _has(path: str, package: str) -> bool:
    test = ["-e", "library(survey)"] if package == "R survey" else ["-c", "import svy"]
    done = subprocess.run([path, *test], capture_output=True, check=False)  # noqa: S603 (our own)
    return done.returncode == 0


def run(command: tuple[str, ...], table: Path) -> pd.DataFrame:
    """The changes of a package: setting, replication, way, item, change, se, df."""
    package, program, script = command
    result = f"{script}.csv"
    subprocess.run([program, script, str(table), result], check=True)  # noqa: S603 (our own)
    return pd.read_csv(result).assign(package=package)


def covered(changes: pd.DataFrame, truth: dict[str, float]) -> pd.DataFrame:
    """Coverage by setting, package and way, over all items, with its Monte Carlo error.

    `length` is the mean length of an interval beside that of this library's.
    """
    half = stdtrit(changes["df"].to_numpy(dtype=float), 0.975) * changes["se"]
    inside = (changes["change"] - changes["item"].map(truth)).abs() <= half
    rows = changes.assign(inside=inside.astype(float), half=half)
    by = ["setting", "package", "way"]
    each = rows.groupby([*by, "replication"], sort=False)[["inside", "half"]].mean()
    grouped = each.groupby(by, sort=False)
    table = grouped.agg(
        intervals=("inside", "size"), coverage=("inside", "mean"), error=("inside", "sem")
    )
    table["intervals"] *= len(truth)
    # Items have different units: lengths are compared within each.
    length = rows.groupby([*by, "item"], sort=False)["half"].mean().unstack()
    own = length.xs(OWN, level="package").droplevel("way")
    beside = own.reindex(length.index.get_level_values("setting")).to_numpy()
    table["length"] = (length / beside).mean(axis=1)
    return table.reset_index()
