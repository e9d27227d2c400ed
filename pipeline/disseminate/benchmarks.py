"""Benchmarks: the firms and their groups beside reference groups, value, difference and verdict."""

from __future__ import annotations

from pipeline.disseminate.benchmark_charts import benchmark_charts, pair_name
from pipeline.disseminate.cells import adjusted_cells, difference_cells, estimate_cell
from pipeline.disseminate.figures import Figures, Pair, place_of
from pipeline.disseminate.model import Block, Cell, RowGroup, Section, Table
from pipeline.disseminate.selection import by_title, reported, unranked
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import REST


def benchmark_section(figures: Figures, wording: Wording) -> Section | None:
    """Every benchmark; none where no pair was released."""
    blocks = tuple(
        _block(figures, wording, benchmark, title)
        for benchmark, title in wording.captions("benchmark")
    )
    if not any(block.tables for block in blocks):
        return None
    return Section(
        "benchmark",
        wording.word("section.benchmark"),
        paragraphs=(wording.say("benchmark.dependence"),),
        blocks=blocks,
    )


def home_pair(figures: Figures, wording: Wording, benchmark: str) -> Pair | None:
    """The pair that compares the whole target population, where it was released for the wave."""
    for pair in wording.pairs[benchmark]:
        whole = all(figures.is_outside(pair[0], group) for group in pair[1:])
        if whole and any(pair in figures.comparisons(i) for i in reported(figures, wording)):
            return pair
    return None


def _block(figures: Figures, wording: Wording, benchmark: str, title: str) -> Block:
    tables: list[Table] = []
    for pair in wording.pairs[benchmark]:
        indicators = _compared(figures, wording, pair)
        if indicators:
            tables.append(_table(figures, wording, pair, indicators, folded=bool(tables)))
    whole = home_pair(figures, wording, benchmark)
    charts = (
        benchmark_charts(
            figures,
            wording,
            whole,
            unranked(wording, _compared(figures, wording, whole)),
            name=f"benchmark-{benchmark}",
        )
        if whole
        else ()
    )
    return Block(
        block_id=f"benchmark-{benchmark}",
        kicker="",
        title=title,
        notes=() if tables else (wording.word("benchmark.none", wave=figures.wave),),
        charts=charts,
        tables=tuple(tables),
    )


def _compared(figures: Figures, wording: Wording, pair: Pair) -> tuple[str, ...]:
    return tuple(i for i in reported(figures, wording) if pair in figures.comparisons(i))


def _table(
    figures: Figures, wording: Wording, pair: Pair, indicators: tuple[str, ...], *, folded: bool
) -> Table:
    """The indicators of a pair by theme, those of a ranking under its title."""
    adjusted = figures.is_adjusted(pair)
    groups = tuple(
        RowGroup(title, tuple(_row(figures, wording, i, pair, adjusted=adjusted) for i in found))
        for title, found in by_title(wording, indicators).items()
    )
    names = ["group_value", "reference_value", "difference", "established"]
    if pair[2] == REST:
        names.remove("reference_value")
    if adjusted:
        names.insert(-1, "adjusted")
    columns = wording.adjusted_by(pair[0])
    return Table(
        pair_name(wording, pair),
        tuple(wording.word(f"table.{name}") for name in ("indicator", *names)),
        groups,
        folded=folded,
        form="plain" if adjusted else "dense",
        note=wording.say("note.adjusted", columns=columns) if adjusted else (),
    )


def _row(
    figures: Figures, wording: Wording, indicator: str, pair: Pair, *, adjusted: bool
) -> tuple[Cell, ...]:
    breakdown, group, reference = pair
    values = [
        estimate_cell(figures, wording, figures.wave, indicator, place_of(breakdown, code))
        for code in (group, reference)
        if code != REST
    ]
    name = Cell((wording.indicator_label(indicator) + _unit(wording, indicator),))
    cells = adjusted_cells if adjusted else difference_cells
    return (name, *values, *cells(figures, wording, indicator, place_of(*pair)))


def _unit(wording: Wording, indicator: str) -> str:
    """The unit in brackets; per cent, which most have, goes without saying."""
    unit = wording.unit(indicator)
    return "" if unit.startswith("%") else f" ({unit})"
