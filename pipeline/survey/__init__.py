"""Survey statistics with finite-population correction: weights, estimates, changes, intervals.

    design = survey.Design.from_frame(firm_ids, strata, responded)
    design = survey.calibrate(design, data, {"size": {"small": 120, "large": 40}, "staff": 9_500})
    e = survey.mean(design, y, domain)          # y, domain aligned with the design's rows
    e.estimate, e.se, survey.t_interval(e)
    survey.difference(e_group, e_rest); survey.change(e_before, e_after)
    survey.function([e, f], lambda x, y: x / y)

Every estimate carries the influence of each unit (z); one kernel makes all variances from them.
`domain` may have shape (k, n): k domains at once. For millions of rows see `means_by`.
"""

from pipeline.survey.adjustments import Calibration, Raking
from pipeline.survey.calibration import calibrate, post_stratify, rake, weight_problems
from pipeline.survey.change import change, contrast, covariance, difference, function, overlap
from pipeline.survey.claims import benjamini_hochberg, holm, p_value, smallest_detectable
from pipeline.survey.decomposition import Decomposition, Term, Wave, decomposition
from pipeline.survey.design import Design, Stage
from pipeline.survey.dispersion import design_effect, population_variance
from pipeline.survey.distances import Method
from pipeline.survey.domains import ByDomain, CellSums, means_by, ratios_by, totals_by
from pipeline.survey.estimators import (
    Balance,
    Estimate,
    balance,
    distribution,
    mean,
    ratio,
    select,
    share,
    total,
)
from pipeline.survey.fast_quantiles import quantiles_by
from pipeline.survey.flows import Flows, Transitions, flows, transitions
from pipeline.survey.imputed import combine
from pipeline.survey.intervals import (
    Interval,
    balance_interval,
    share_difference_interval,
    share_interval,
    t_interval,
)
from pipeline.survey.ipf import rake_cells
from pipeline.survey.margins import CalibrationError
from pipeline.survey.passes import Engine
from pipeline.survey.quantiles import Quantile, gap, position, quantile
from pipeline.survey.replicates import Replicates, jackknife, replicate
from pipeline.survey.representativity import Representativity, representativity
from pipeline.survey.standardise import Adjusted, Standardised, adjusted_difference, standardised
from pipeline.survey.trend import AnyChange, Pooled, Trend, any_change, pooled, trend
from pipeline.survey.trimming import trim, trim_to_design_effect
from pipeline.survey.weight_quality import (
    WeightSummary,
    against_register,
    bias_of_register,
    kish_design_effect,
    weight_summary,
)

__all__ = [
    "Adjusted",
    "AnyChange",
    "Balance",
    "ByDomain",
    "Calibration",
    "CalibrationError",
    "CellSums",
    "Decomposition",
    "Design",
    "Engine",
    "Estimate",
    "Flows",
    "Interval",
    "Method",
    "Pooled",
    "Quantile",
    "Raking",
    "Replicates",
    "Representativity",
    "Stage",
    "Standardised",
    "Term",
    "Transitions",
    "Trend",
    "Wave",
    "WeightSummary",
    "adjusted_difference",
    "against_register",
    "any_change",
    "balance",
    "balance_interval",
    "benjamini_hochberg",
    "bias_of_register",
    "calibrate",
    "change",
    "combine",
    "contrast",
    "covariance",
    "decomposition",
    "design_effect",
    "difference",
    "distribution",
    "flows",
    "function",
    "gap",
    "holm",
    "jackknife",
    "kish_design_effect",
    "mean",
    "means_by",
    "overlap",
    "p_value",
    "pooled",
    "population_variance",
    "position",
    "post_stratify",
    "quantile",
    "quantiles_by",
    "rake",
    "rake_cells",
    "ratio",
    "ratios_by",
    "replicate",
    "representativity",
    "select",
    "share",
    "share_difference_interval",
    "share_interval",
    "smallest_detectable",
    "standardised",
    "t_interval",
    "total",
    "totals_by",
    "transitions",
    "trend",
    "trim",
    "trim_to_design_effect",
    "weight_problems",
    "weight_summary",
]
