"""Survey statistics with finite-population correction: estimates, changes, intervals.

    design = survey.Design.from_frame(firm_ids, strata, responded)
    e = survey.mean(design, y, domain)          # y, domain aligned with design.unit_ids
    e.estimate, e.se, survey.t_interval(e)
    survey.difference(e_group, e_rest); survey.change(e_before, e_after)
    survey.function([e, f], lambda x, y: x / y)

Every estimate carries the influence of each unit (z); one kernel makes all variances from them.
`domain` may have shape (k, n): k domains at once.
"""

from pipeline.survey.change import change, contrast, covariance, difference, function, overlap
from pipeline.survey.design import Design
from pipeline.survey.estimators import Balance, Estimate, balance, mean, ratio, share, total
from pipeline.survey.intervals import Interval, balance_interval, share_interval, t_interval

__all__ = [
    "Balance",
    "Design",
    "Estimate",
    "Interval",
    "balance",
    "balance_interval",
    "change",
    "contrast",
    "covariance",
    "difference",
    "function",
    "mean",
    "overlap",
    "ratio",
    "share",
    "share_interval",
    "t_interval",
    "total",
]
