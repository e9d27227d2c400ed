"""Indicator definitions as the analysis uses them."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.tables import Indicators
from pipeline.tables.flow import REPRESENTATIVITY, RESPONSE


@pa.check_types
def with_response(indicators: DataFrame[Indicators], *, sensitivity: str) -> DataFrame[Indicators]:
    """The study's indicators and the two that every study has, on its response, in per cent.

    The response rate, and the R-indicator, which is published where the response rate is.
    """
    empty = dict.fromkeys(Indicators.to_schema().columns, "") | {
        Indicators.sensitivity: sensitivity,
        Indicators.better: "higher",
        Indicators.unit_de: "%",
        Indicators.unit_en: "%",
    }
    rows = [
        empty | {Indicators.indicator: RESPONSE, Indicators.kind: "share"},
        empty
        | {
            Indicators.indicator: REPRESENTATIVITY,
            Indicators.kind: "formula",
            Indicators.numerator: RESPONSE,
        },
    ]
    added = pd.DataFrame(rows).assign(scale=100.0, decimals=0)
    return DataFrame[Indicators](pd.concat([indicators, added], ignore_index=True))
