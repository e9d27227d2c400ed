"""Write methods.md: what every public verb computes, from the docstrings themselves.

    .venv/bin/python docs/methods.py

The tests make the page anew and compare.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from pipeline import analyse, process, survey
from pipeline.survey import (
    calibration,
    change_passes,
    estimators,
    intervals,
    moments,
    passes,
    quantile_passes,
    quantiles,
    trimming,
)
from pipeline.survey import variance as kernel

DOCS = Path(__file__).parent
PIPELINE = DOCS.parent / "pipeline"
WIDTH = 98
Verb = Callable[..., Any]

HEAD = """# Methods

Made from the code by `docs/methods.py`; a test compares. How to use the verbs:
[tutorial.md](tutorial.md). How right they are over made-up populations: [golden.md](golden.md).

**All intervals speak of chance among the firms of a stratum, not of bias from who answers.** Where
firms that answer differ from firms of the same stratum that do not, no standard error, interval or
p-value here shows it.

w is the weight of a unit, h a stratum, N_h its units on the register, n_h those that answered, m_h
those that answered the question, z the influence of a unit on an estimate. Every estimate carries
its influences; one kernel (see Variance) makes all variances and covariances from them. What R
survey 4.1 has too is compared with R's own results in `tests/survey/test_survey_oracle.py`. Where
some left a question out R counts all of the sample, and for waves with a finite-population
correction it has no covariance: there this library goes its own way.
"""


class Group(NamedTuple):
    """Verbs of one kind, what they assume, and modules whose docstrings say more of all."""

    title: str
    assumed: str
    verbs: tuple[Verb, ...]
    modules: tuple[ModuleType, ...] = ()


GROUPS = (
    Group(
        "Designs",
        "The register is right: its units, their ids and their strata. A census with non-response "
        "is taken as a stratified simple random sample of it: within a stratum all units answer "
        "with the same probability, one whatever another does. A sample is drawn at each stage "
        "without replacement, by simple random sampling within strata.",
        (survey.Design.from_frame, survey.Design.from_sample, survey.Design.from_stages),
    ),
    Group(
        "Weights",
        "Known totals are right and count the units that the design stands for. Within what the "
        "totals tell apart, who answers has nothing to do with the answer. Variances of calibrated "
        "estimates hold for many more units than constraints.",
        (
            survey.calibrate,
            survey.post_stratify,
            survey.rake,
            survey.trim,
            survey.trim_to_design_effect,
            survey.weight_problems,
            survey.weight_summary,
            survey.kish_design_effect,
            survey.against_register,
        ),
        (calibration, trimming),
    ),
    Group(
        "Estimators",
        "As for the designs. Who of those that answered leaves a question out is chance within the "
        "stratum as well. Standard errors are linearised: right for many answers, too small for "
        "skewed amounts of few firms.",
        (
            survey.mean,
            survey.share,
            survey.balance,
            survey.distribution,
            survey.select,
            survey.ratio,
            survey.total,
            survey.quantile,
            survey.position,
            survey.gap,
            survey.population_variance,
            survey.design_effect,
            survey.standardised,
            survey.adjusted_difference,
            survey.combine,
        ),
        (quantiles,),
    ),
    Group(
        "Variance",
        "As for the designs; functions of estimates are smooth where the estimates lie. Replicate "
        "weights carry the whole design, as their supplier says.",
        (
            kernel.variance,
            kernel.product,
            estimators.effective_size,
            survey.covariance,
            survey.contrast,
            survey.difference,
            survey.function,
            survey.jackknife,
            survey.replicate,
        ),
    ),
    Group(
        "Intervals",
        "The estimate is about normal on the scale of its interval, and its standard error has the "
        "degrees of freedom that are stated.",
        (
            survey.t_interval,
            survey.share_interval,
            survey.share_difference_interval,
            survey.balance_interval,
        ),
        (intervals,),
    ),
    Group(
        "Change and trend",
        "An id is the same unit in all waves. Who answers in several waves is chance in the cells "
        "of the strata of these waves; it need not be independent from wave to wave.",
        (
            survey.change,
            survey.overlap,
            survey.trend,
            survey.any_change,
            survey.pooled,
            survey.flows,
            survey.transitions,
            survey.decomposition,
        ),
    ),
    Group(
        "Response",
        "Only what the register knows is seen. Units answer independently of each other.",
        (survey.representativity, survey.bias_of_register),
    ),
    Group(
        "Claims",
        "p-values assume what intervals assume, and see no more bias than these.",
        (survey.p_value, survey.benjamini_hochberg, survey.holm, survey.smallest_detectable),
    ),
    Group(
        "Large tables",
        "As for the estimators, whose numbers these are. One stage; weights are taken as they are, "
        "without a calibration in the variance.",
        (
            survey.means_by,
            survey.ratios_by,
            survey.totals_by,
            survey.quantiles_by,
            survey.rake_cells,
            moments.moments,
            passes.moments,
            passes.calibration_cells,
            quantile_passes.quantiles,
            change_passes.changes,
        ),
    ),
    Group(
        "Stages of the pipeline",
        "A stage puts verbs of the library together and says on what: the firms of a wave, its "
        "strata and groups. Stages without a method of their own are in the README.",
        (
            process.weight,
            process.calibrate,
            process.assess,
            analyse.estimate,
            analyse.compare,
            analyse.benchmark,
            analyse.protect,
        ),
    ),
)

NO_SOURCE = {
    "overlap": "a count",
    "select": "a choice among estimates",
    "trim": "a rule, that of R survey `trimWeights`, and no estimate",
    "weight_problems": "it looks at weights and computes no estimate",
    "weight_summary": "a count, a sum and a spread",
    "against_register": "sums beside counts",
    "calibration_cells": "counts and sums",
}
"""Verbs that have no source because there is nothing to look up, and why."""

CONSTANTS = (
    ("design", "LonelyRule"),
    ("margins", "Margins"),
    ("passes", "Engine"),
    ("passes", "Table"),
    ("quantiles", "Rule"),
)
"""Modules and names of what an argument may be, where a text below the constant says it."""

LEFT_OUT = {
    "svyglm": ("", "Models are no part of a benchmark report; R and others have them."),
    "svychisq": ("strat.chisq", "Tests of tables are no part of a benchmark report."),
    "svyranktest": ("strat.ranktest", "Tests of ranks are no part of a benchmark report."),
    'svyciprop(method = "likelihood")': (
        "clus1.ciprop.likelihood",
        "R reads the ends off a spline through a few points of the profile: 0.00066392 below, "
        "0.00066533 with a hundred times as many. The beta interval serves.",
    ),
    'svyquantile(interval.type = "score")': (
        "strat.quantile.score",
        "R turns the ends found into shares without weights and those into quantiles with weights, "
        "so the interval can miss its own estimate (446 in 365 to 424). `score` here is that of "
        "Francisco and Fuller.",
    ),
    'svyquantile(qrule = "shahvaish")': (
        "strat.quantile.qrule.shahvaish",
        "R takes weights of any size for weights with mean 1, which moves p. The rule here gives "
        "them mean 1 first.",
    ),
}
"""What R survey has and this library has not, on purpose: its reference results, and why."""

NAME = r"[A-ZÀ-Ž][a-zß-ž][\w'-]*"
CITED = re.compile(
    rf"\b((?:{NAME}(?:(?:, {NAME})* and {NAME}| et al\.)?)"
    r"|Handbook on Statistical Disclosure Control) \(?((?:18|19|20)\d\d)\b"
)
"""Authors and year, as docstrings cite them."""
NAMED = re.compile(r"(?i)\b(?:see|as|by|from|formula in) `([\w.]+)`")
"""A verb that a docstring refers to for what it does, as in `as mean` or `see contrast`."""
SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z`(])|(?<=\.\))\s+(?=[A-Z`])")
ERROR = re.compile(r"\b(\w+Error|Raises|Errors:)|^NaN\b")
"""What a sentence that tells of errors or missing results has."""

SOURCES = """
Albert and Anderson 1984: On the existence of maximum likelihood estimates in logistic regression
  models. Biometrika 71, 1-10.
Barnard and Rubin 1999: Small-sample degrees of freedom with multiple imputation. Biometrika 86,
  948-955.
Benjamini and Hochberg 1995: Controlling the false discovery rate: a practical and powerful
  approach to multiple testing. Journal of the Royal Statistical Society B 57, 289-300.
Bloom 1995: Minimum detectable effects: a simple way to report the statistical power of
  experimental designs. Evaluation Review 19, 547-556.
Chan, Golub and LeVeque 1983: Algorithms for computing the sample variance: analysis and
  recommendations. American Statistician 37, 242-247.
Cochran 1977: Sampling Techniques, 3rd edition. Wiley.
Deming and Stephan 1940: On a least squares adjustment of a sampled frequency table when the
  expected marginal totals are known. Annals of Mathematical Statistics 11, 427-444.
Deville and Särndal 1992: Calibration estimators in survey sampling. Journal of the American
  Statistical Association 87, 376-382.
Deville, Särndal and Sautory 1993: Generalized raking procedures in survey sampling. Journal of
  the American Statistical Association 88, 1013-1020.
Firth 1993: Bias reduction of maximum likelihood estimates. Biometrika 80, 27-38.
Francisco and Fuller 1991: Quantile estimation with a complex survey design. Annals of Statistics
  19, 454-469.
Hájek 1981: Sampling from a Finite Population. Dekker.
Handbook on Statistical Disclosure Control 2010: Hundepool and others, version 1.2. ESSnet SDC.
Hidiroglou and Berthelot 1986: Statistical editing and imputation for periodic business surveys.
  Survey Methodology 12, 73-83.
Holm 1979: A simple sequentially rejective multiple test procedure. Scandinavian Journal of
  Statistics 6, 65-70.
Horowitz and Sahni 1974: Computing partitions with applications to the knapsack problem. Journal of
  the ACM 21, 277-292.
Hyndman and Fan 1996: Sample quantiles in statistical packages. American Statistician 50, 361-365.
Kish 1965: Survey Sampling. Wiley.
Kish 1992: Weighting for unequal Pi. Journal of Official Statistics 8, 183-200.
Kitagawa 1955: Components of a difference between two rates. Journal of the American Statistical
  Association 50, 1168-1194.
Kleene 1952: Introduction to Metamathematics. North-Holland.
Korn and Graubard 1990: Simultaneous testing of regression coefficients with complex survey data:
  use of Bonferroni t statistics. American Statistician 44, 270-276.
Fischetti and Salazar-González 2001: Solving the cell suppression problem on tabular data with
  linear constraints. Management Science 47, 1008-1027.
Korn and Graubard 1998: Confidence intervals for proportions with small expected number of
  positive counts estimated from survey data. Survey Methodology 24, 193-201.
Korn and Graubard 1999: Analysis of Health Surveys. Wiley.
Langsrud 2024: Secondary cell suppression by Gaussian elimination: an algorithm suitable for
  handling issues with zeros and singletons. Privacy in Statistical Databases, Springer.
Lumley 2010: Complex Surveys: a Guide to Analysis Using R. Wiley.
Magnanti and Wong 1981: Accelerating Benders decomposition: algorithmic enhancement and model
  selection criteria. Operations Research 29, 464-484.
Matei and Tillé 2005: Evaluation of variance approximations and estimators in maximum entropy
  sampling with unequal probability and fixed sample size. Journal of Official Statistics 21,
  543-570.
Melitz and Polanec 2015: Dynamic Olley-Pakes productivity decomposition with entry and exit. RAND
  Journal of Economics 46, 362-375.
Newcombe 1998: Improved confidence intervals for the difference between binomial proportions based
  on paired data. Statistics in Medicine 17, 2635-2650.
Parker et al. 2017: National Center for Health Statistics data presentation standards for
  proportions. Vital and Health Statistics, Series 2, No. 175.
Parzen 1979: Nonparametric statistical data modeling. Journal of the American Statistical
  Association 74, 105-121.
Parzen 2004: Quantile probability and statistical data modeling. Statistical Science 19, 652-662.
Rubin 1987: Multiple Imputation for Nonresponse in Surveys. Wiley.
Samuelson 1968: How deviant can you be? Journal of the American Statistical Association 63,
  1522-1525.
Schouten, Cobben and Bethlehem 2009: Indicators for the representativeness of survey response.
  Survey Methodology 35, 101-113.
Schouten, Shlomo and Skinner 2011: Indicators for monitoring and improving representativeness of
  response. Journal of Official Statistics 27, 231-253.
Shah and Vaish 2006: Confidence intervals for quantile estimation from complex survey data.
  Proceedings of the Section on Survey Research Methods, American Statistical Association.
Sheather and Marron 1990: Kernel quantile estimators. Journal of the American Statistical
  Association 85, 410-416.
Shlomo and Schouten 2013: Theoretical properties of partial indicators for representative
  response. Technical report, University of Southampton.
Shlomo, Skinner and Schouten 2012: Estimation of an indicator of the representativeness of survey
  response. Journal of Statistical Planning and Inference 142, 201-211.
Squire and Trapp 1998: Using complex variables to estimate derivatives of real functions. SIAM
  Review 40, 110-112.
Student 1908: The probable error of a mean. Biometrika 6, 1-25.
Särndal and Lundström 2005: Estimation in Surveys with Nonresponse. Wiley.
Särndal, Swensson and Wretman 1992: Model Assisted Survey Sampling. Springer.
Tam 1984: On covariances from overlapping samples. American Statistician 38, 288-289.
Wolter 2007: Introduction to Variance Estimation, 2nd edition. Springer.
Wang 1981: A p-adic algorithm for univariate partial fractions. Proceedings of the ACM Symposium on
  Symbolic and Algebraic Computation, 212-217.
Woodruff 1952: Confidence intervals for medians and other position measures. Journal of the
  American Statistical Association 47, 635-646.
Zou and Donner 2008: Construction of confidence limits about effect measures: a general approach.
  Statistics in Medicine 27, 1693-1702.
"""
"""Each source in full; which of them the page lists, the docstrings decide."""


def page() -> str:
    """The whole page; raises ValueError where a verb has no place or a source is not known."""
    parts = [HEAD]
    for group in GROUPS:
        parts.append(f"## {group.title}\n\n{_wrapped(f'*Assumed:* {group.assumed}')}\n")
        parts += [_opening(module) for module in group.modules]
        parts += [_entry(title(verb), inspect.getdoc(verb) or "", verb) for verb in group.verbs]
    public = {name: getattr(survey, name) for name in survey.__all__}
    placed = {title(verb) for group in GROUPS for verb in group.verbs}
    lost = [name for name, x in public.items() if inspect.isfunction(x) and name not in placed]
    if lost:
        raise ValueError(f"verbs without a place on the page: {lost}; put each into a group")
    parts.append("## What goes in, and what comes back\n")
    parts += [_entry(name, text, None) for name, text in _things(public)]
    rows = [f"| `{name}` | {why} |" for name, (_, why) in LEFT_OUT.items()]
    table = ["## Left out on purpose\n", "| R survey | why |", "|---|---|", *rows, ""]
    parts.append("\n".join(table))
    lines = [f"- {authors}: {full} ({used})" for authors, full, used in _sources()]
    parts.append("\n".join(["## Sources\n", *lines, ""]))
    return "\n".join(parts)


def title(verb: Verb) -> str:
    """Name of a verb as a user finds it: `mean`, `Design.from_frame`, `passes.moments`."""
    name, place = verb.__qualname__, verb.__module__.split(".")
    if place[1] != "survey":
        return f"{place[1]}.{name}"
    return name if name.split(".")[0] in survey.__all__ else f"{place[2]}.{name}"


def library() -> dict[str, Verb]:
    """The verbs of `pipeline.survey` on the page, by title."""
    verbs = [verb for group in GROUPS for verb in group.verbs]
    return {title(verb): verb for verb in verbs if verb.__module__.startswith("pipeline.survey")}


def cited(text: str) -> list[str]:
    """Sources that a text names, as `authors year`, in its order, each once."""
    found = (f"{authors} {year}" for authors, year in CITED.findall(" ".join(text.split())))
    return list(dict.fromkeys(found))


def sources_of(verb: Verb) -> tuple[list[str], str]:
    """Sources of a verb: its own, or those of the first verb that it refers to (and which).

    Both are empty where there are none.
    """
    text = " ".join((inspect.getdoc(verb) or "").split())
    if own := cited(text):
        return own, ""
    verbs = library()
    for name in NAMED.findall(text):
        other = verbs.get(name, getattr(kernel, name, None))
        if inspect.isroutine(other) and other is not verb:
            found, through = sources_of(other)
            if found:
                return found, through or name
    return [], ""


def _things(public: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and texts of public classes, and of the constants that say what an argument may be."""
    texts = {name: inspect.getdoc(x) or "" for name, x in public.items() if inspect.isclass(x)}
    for module, name in CONSTANTS:
        body = ast.parse((PIPELINE / f"survey/{module}.py").read_text(encoding="utf-8")).body
        for statement, below in pairwise(body):
            if name in ast.unparse(statement).split(" = ")[0] and isinstance(below, ast.Expr):
                texts[name] = inspect.cleandoc(ast.literal_eval(below.value))
    yield from sorted(texts.items())


def _opening(module: ModuleType) -> str:
    """A module's docstring; lists stay lists."""
    paragraphs = re.split(r"\n\s*\n", inspect.getdoc(module) or "")
    return "\n\n".join(x if x.startswith("- ") else _plain(x) for x in paragraphs) + "\n"


def _entry(name: str, text: str, verb: Verb | None) -> str:
    """One heading of the page: signature, docstring, errors, source."""
    summary, *body = re.split(r"\n\s*\n", text)
    told, errors = [], []
    for paragraph in body:
        sentences = SENTENCE.split(paragraph)
        errors += [s.removeprefix("Errors: ") for s in sentences if ERROR.search(s)]
        told.append(" ".join(s for s in sentences if not ERROR.search(s)))
    parts = [f"### `{name}`", *([_signature(name, verb)] if verb else []), _plain(summary)]
    parts += [_plain(paragraph) for paragraph in told if paragraph]
    if errors:
        parts.append(_plain(" ".join(errors), "*Errors and missing results:* "))
    if verb is not None:
        parts += _source(verb)
    return "\n\n".join(parts) + "\n"


def _source(verb: Verb) -> list[str]:
    """The line with the source of a verb; a stage may have none."""
    found, through = sources_of(verb)
    if found:
        return [f"*Source:* {'; '.join(found)}{f' (by `{through}`)' if through else ''}."]
    if verb.__name__ in NO_SOURCE:
        return [f"*Source:* no source needed: {NO_SOURCE[verb.__name__]}."]
    return []


def _signature(name: str, verb: Verb) -> str:
    """The call in Python, a line for each argument where one line is too long."""
    found = inspect.signature(verb)
    arguments: list[str] = []
    for parameter in found.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in arguments:
            arguments.append("*")
        arguments.append(re.sub(r": '([^']*)'", r": \1", str(parameter)).replace("npt.", ""))
    returned = str(found.return_annotation).replace("npt.", "")
    line = f"{name}({', '.join(arguments)}) -> {returned}"
    if len(line) > WIDTH:
        line = "\n".join([f"{name}(", *(f"    {a}," for a in arguments), f") -> {returned}"])
    return f"```python\n{line}\n```"


def _plain(text: str, before: str = "") -> str:
    """A paragraph of a docstring, whose stars and angles are not Markdown."""
    return _wrapped(before + re.sub(r"(`[^`]*`)|([*<])", lambda m: m[1] or "\\" + m[2], text))


def _wrapped(text: str) -> str:
    """A paragraph in lines of which none begins like a list or a heading."""
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(re.sub(r"^([-+=>#]|\d+(?=[.)] ))", _escaped, line) for line in lines)


def _escaped(found: re.Match[str]) -> str:
    return f"{found[1]}\\" if found[1].isdigit() else f"\\{found[1]}"


def _docstrings() -> Iterator[tuple[str, str]]:
    """Every docstring of the pipeline with its module, those below constants too."""
    for path in sorted(PIPELINE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                yield (
                    path.stem if path.stem != "__init__" else path.parent.name,
                    str(node.value.value),
                )


def _sources() -> list[tuple[str, str, str]]:
    """Sources in the order of the authors: authors and year, the rest, the modules that cite it."""
    used: dict[str, list[str]] = {}
    for module, text in _docstrings():
        for source in cited(text):
            used.setdefault(source, []).append(f"`{module}`")
    full = dict(line.split(": ", 1) for line in SOURCES.replace("\n  ", " ").strip().splitlines())
    unknown, idle = sorted(used.keys() - full.keys()), sorted(full.keys() - used.keys())
    if unknown or idle:
        raise ValueError(f"SOURCES lacks {unknown}, and no docstring cites {idle}: mend the list")
    return [
        (name, full[name], ", ".join(sorted(set(used[name])))) for name in sorted(used, key=folded)
    ]


def folded(name: str) -> str:
    """Without accents, as lists of names are sorted."""
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


if __name__ == "__main__":
    (DOCS / "methods.md").write_text(page(), encoding="utf-8")
