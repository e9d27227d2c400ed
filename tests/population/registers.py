"""The register of each wave as the field office keeps it: the frame, with what became of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from population.draws import WAVES, Bools, stream
from population.firms import IN_SCOPE, Firms
from population.response import ASKED_ELSEWHERE, Response
from population.sites import ELSEWHERE, group_of

ANSWERED, PARTIAL, REFUSED, NO_CONTACT, OUT_OF_SCOPE, NOT_ASKED = "123456"


def register_rows(firms: Firms, wave: int) -> np.ndarray:
    """Numbers of the sites in the register of a wave, by firm id."""
    there = firms.scope[wave] > 0
    if wave not in ASKED_ELSEWHERE:
        there &= (firms.site["population"] != ELSEWHERE).to_numpy()
    rows = np.flatnonzero(there)
    return rows[np.argsort(firms.firm_id[wave, rows].astype(str))]


def register(firms: Firms, response: Response, wave: int, rows: np.ndarray) -> pd.DataFrame:
    """The register of a wave, as it is known when it begins: no dispositions yet."""
    site = firms.site.iloc[rows]
    field = firms.field[wave, rows]
    design = response.design[wave, rows]
    return pd.DataFrame(
        {
            "firm_id": firms.firm_id[wave, rows],
            "holding": site["holding"].to_numpy(dtype=object),
            "population": site["population"].astype(str).to_numpy(dtype=object),
            "district": site["district"].to_numpy(dtype=object),
            "field": field.astype(str),
            "field_group": group_of(field).astype(str),
            "size": firms.size[wave, rows].astype(str),
            "tier": site["tier"].astype(str).to_numpy(dtype=object),
            "division": site["wz"].str[:2].to_numpy(dtype=object),
            "section": _sections(site["wz"]),
            "scope": firms.scope[wave, rows].astype(str),
            "disposition": "",
            "events": np.where(response.events[wave, rows], "1", "2"),
            "design_weight": [f"{weight:.6f}".rstrip("0").rstrip(".") for weight in design],
        }
    )


def _sections(wz: pd.Series[str]) -> np.ndarray:
    """Sections of WZ 2008 by division: C to 33, J to 63, M from 69."""
    division = wz.str[:2].astype(int).to_numpy()
    return np.select([division <= 33, division <= 63], ["C", "J"], "M").astype(object)


def add_dispositions(
    seed: int, wave: int, table: pd.DataFrame, answered: Bools, broken_off: Bools
) -> pd.DataFrame:
    """The register with what the field office noted of each firm."""
    refused = stream(seed, f"refusals {WAVES[wave]}").random(len(table)) < 0.55
    disposition = np.select(
        [
            table["scope"] != str(IN_SCOPE),
            table["design_weight"] == "0",
            broken_off,
            answered,
            refused,
        ],
        [OUT_OF_SCOPE, NOT_ASKED, PARTIAL, ANSWERED, REFUSED],
        NO_CONTACT,
    )
    return table.assign(disposition=disposition)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as UTF-8 with commas and Unix line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(table.to_csv(index=False, lineterminator="\n").encode())
