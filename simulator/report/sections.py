"""The parts of the page in their order: the answer first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from simulator.measures.columns import FEWEST
from simulator.measures.sample import Sample
from simulator.measures.scripted import is_scripted
from simulator.report import arrangements, coverage, remarks
from simulator.report.assumptions import assumptions, programme_terms
from simulator.report.blocks import Block, Cell, Column, Drawing, Row, Section, Table, records
from simulator.report.comparison import Summary, comparison_table, liquidity_table, stress_table
from simulator.report.figures import contributions
from simulator.report.glossary import definitions, provenance_table
from simulator.report.numbers import NONE, THIN, short_percent
from simulator.report.quality import label, quality
from simulator.report.ratios import ratios
from simulator.report.told import told_sections
from simulator.results.result import Result


@dataclass(frozen=True)
class Material:
    """Everything the page is made from.

    Attributes:
        result: what is reported.
        rows: its summary and paired differences, tidy.
        answer: the verdict in sentences, the most important first.
        data: the numbers of each figure, by figure name.
        drawings: the figures, by name.
    """

    result: Result
    rows: pd.DataFrame
    answer: Sequence[str]
    data: Mapping[str, pd.DataFrame]
    drawings: Mapping[str, Drawing]

    @cached_property
    def summary(self) -> Summary:
        """The summary, ready to be looked up."""
        return Summary(self.rows, list(self.result.stresses), ratios(self.result))

    def figure(self, name: str) -> list[Block]:
        """A figure as a block, nothing where there is no such figure in this result."""
        return [Block("figure", self.drawings[name])] if name in self.drawings else []


def sections(material: Material) -> list[Section]:
    """Every part that this result has something for."""
    if is_scripted(material.result):
        told = told_sections(material.result, material.answer, material.figure("cash_path"))
        return [*told, _data(material), _assumptions(material), _words(material)]
    made = (
        _answer(material),
        _losses(material),
        _cash(material),
        _shortfall(material),
        _cover(material),
        _cost(material),
        _drivers(material),
        _stresses(material),
        _data(material),
        _assumptions(material),
        _words(material),
    )
    return [section for section in made if section is not None and section.blocks]


def _answer(m: Material) -> Section:
    blocks = [Block("answer", list(m.answer)), Block("table", comparison_table(m.result, m.summary))]
    return Section("answer", "The answer", blocks=[*blocks, *_remark(remarks.reserves(m.result))])


def _losses(m: Material) -> Section:
    blocks = m.figure("exceedance") + m.figure("largest_loss")
    return Section("losses", "How much can be lost", blocks=blocks)


def _cash(m: Material) -> Section | None:
    blocks = m.figure("cash_fan") + m.figure("headroom_fan") + m.figure("availability_fan")
    return Section("cash", "What happens to cash", blocks=blocks) if m.result.has_cash else None


def _shortfall(m: Material) -> Section | None:
    if not m.result.has_cash:
        return None
    blocks: list[Block] = []
    if float(m.data["shortfall"]["probability"].max()) > 0:
        blocks += m.figure("shortfall") + _remark(remarks.steepest_rise(m.result)) + m.figure("first_shortfall")
        blocks.append(Block("table", timing_of_shortfall(m.result)))
    else:
        blocks.append(Block("note", "Under no programme does any simulated scenario run short of cash."))
    levels = m.summary.levels("liquidity_at_risk")
    needed = [m.summary.get("liquidity_at_risk", p, x)[0] for p in m.result.programmes for x in levels]
    if any(needed):
        blocks.append(Block("table", liquidity_table(m.result, m.summary)))
    elif levels:
        most = short_percent(max(levels), 4)
        blocks.append(
            Block(
                "text",
                f"Liquidity at risk is zero under every programme, up to the {most} level: no cash "
                "has to be added to keep the probability of a shortfall below the rest.",
            )
        )
    blocks += _optional(arrangements.buffer_table(m.result, m.summary))
    blocks += _optional(arrangements.fund_table(m.result, m.summary))
    blocks += _remark(remarks.reserves(m.result))
    return Section("shortfall", "When cash runs short, and by how much", blocks=blocks)


def _remark(text: str) -> list[Block]:
    return [Block("note", text)] if text else []


def _optional(table: Table | None) -> list[Block]:
    return [Block("table", table)] if table is not None else []


def timing_of_shortfall(result: Result) -> Table:
    """When the first shortfall comes, among the scenarios that have one: median and range that holds 80 % of them."""
    weight = result.scenarios["weight"].to_numpy()
    first = result.scenarios["first_shortfall_period"].transpose("programme", "scenario").to_numpy()
    period, rows = result.study.study.period, []
    for p, programme in enumerate(result.programmes):
        struck = first[p] >= 0
        share = float(weight[struck].sum() / weight.sum())
        cells = [Cell(short_percent(share))]
        if int(struck.sum()) >= FEWEST:
            sample = Sample.weighted(first[p][struck] + 1.0, weight[struck])
            low, median, high = (int(sample.ordered[sample.position(level)]) for level in (0.1, 0.5, 0.9))
            cells += [Cell(f"{period}{THIN}{median}"), Cell(f"{low} – {high}")]
        else:
            cells += [Cell("too few to say" if share > 0 else NONE), Cell(NONE)]
        rows.append(Row(programme, cells))
    columns = (
        Column("Programme", number=False),
        Column("Scenarios with a shortfall"),
        Column("First shortfall, median"),
        Column("Eight in ten fall in", unit=f"{period}s"),
    )
    return Table("Time to the first shortfall", columns, rows, note="Among the scenarios that run short.")


def _cover(m: Material) -> Section | None:
    if "gap" not in m.data:
        return None
    blocks = [*m.figure("gap"), Block("table", coverage.gap_table(m.result, m.data["gap"])), *m.figure("share_paid")]
    blocks += _optional(coverage.lost_cover_table(m.result, m.data["gap"])) + m.figure("claim_timing")
    if "claim_timing" in m.data:
        blocks.append(Block("table", coverage.timing_table(m.data["claim_timing"], m.result.currency)))
    blocks += m.figure("claims_in_time") + _optional(coverage.late_claims_table(m.result))
    return Section(
        "cover",
        "What the cover really covers",
        "What each term of a policy takes of the debt claimed, whichever the wording applies first: the term “order” "
        "under what was assumed says which.",
        blocks,
    )


def _cost(m: Material) -> Section | None:
    if "cost" not in m.data:
        return None
    table = Block("table", coverage.cost_table(m.data["cost"], m.result.currency))
    trade = _optional(arrangements.trade_table(m.result, m.summary))
    return Section("cost", "What each programme costs", blocks=[*m.figure("cost"), table, *trade])


def _drivers(m: Material) -> Section | None:
    if "contributions" not in m.data:
        return None
    tables = coverage.contribution_tables(m.data["contributions"], contributions.TABLES, m.result.currency)
    return Section("drivers", "Who drives the loss", blocks=[*m.figure("contributions"), Block("tables", tables)])


def _stresses(m: Material) -> Section | None:
    if not m.result.stresses:
        return None
    table = Block("table", stress_table(m.result, m.summary))
    return Section("stresses", "What if times are worse, or better", blocks=[*m.figure("stresses"), table])


def _data(m: Material) -> Section:
    blocks = quality(m.result.profile, m.result.currency)
    return Section("data", "What the ledger looks like", "As read; nothing was guessed silently.", blocks)


def _assumptions(m: Material) -> Section:
    study = m.result.study
    terms = programme_terms(study)
    names = [p.name for p in study.programmes]
    rows = [
        Row(
            label(key.replace(".", ", ")),
            [Cell(values[str(p)] or NONE, "text") for p in range(len(names))],
            sub=meaning,
        )
        for key, meaning, values in zip(terms["key"], terms["meaning"], terms.to_dict("records"), strict=True)
    ]
    columns = [Column("Term", number=False), *(Column(name, number=False) for name in names)]
    blocks = [Block("table", Table("Terms of the programmes", columns, rows, full=True, pinned=True))]
    columns = [Column("Parameter", number=False), Column("Value", number=False), Column("Meaning", number=False)]
    blocks.append(
        Block("table", Table("Parameters of the model", columns, list(_parameters(assumptions(study))), full=True))
    )
    return Section("assumptions", "What was assumed", "Every parameter of the study file, defaults included.", blocks)


def _parameters(table: pd.DataFrame) -> Iterator[Row]:
    part = None
    for row in records(table):
        if row.part != part:
            part = row.part
            yield Row(group=str(part))
        yield Row(str(row.key), (Cell(str(row.value), "text"), Cell(str(row.meaning), "text")))


def _words(m: Material) -> Section:
    variables = [str(v) for v in (*m.result.scenarios.data_vars, *m.result.paths.data_vars)]
    words = definitions(variables, m.summary.lines())
    provenance = Block("table", provenance_table(m.result.manifest, remarks.worth(m.result)))
    return Section("words", "Definitions and provenance", blocks=[Block("terms", words), provenance])
