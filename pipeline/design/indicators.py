"""Indicator definitions as the analysis uses them."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.tables import Indicators
from pipeline.tables.flow import RESPONSE


@pa.check_types
def with_response(indicators: DataFrame[Indicators], *, sensitivity: str) -> DataFrame[Indicators]:
    """The study's indicators and the one that every study has: the response rate, in per cent."""
    row = dict.fromkeys(Indicators.to_schema().columns, "") | {
        Indicators.indicator: RESPONSE,
        Indicators.kind: "share",
        Indicators.sensitivity: sensitivity,
        Indicators.better: "higher",
        Indicators.unit_de: "%",
        Indicators.unit_en: "%",
    }
    response = pd.DataFrame([row]).assign(scale=100.0, decimals=0)
    return DataFrame[Indicators](pd.concat([indicators, response], ignore_index=True))
