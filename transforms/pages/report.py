"""Write the report page of a run: one file for a person who has two minutes, made from the published tables alone."""

from pathlib import Path

import polars as pl

from sij_audit.transforms.frames import fetch_frame
from sij_audit.transforms.pages.charts import Look
from sij_audit.transforms.pages.data_sections import (
    describe_controls,
    describe_limits,
    describe_missing_columns,
    describe_quality,
    describe_quarantine,
)
from sij_audit.transforms.pages.finding_sections import (
    describe_changes,
    describe_doubts,
    describe_months,
    describe_outcomes,
    describe_rules,
    read_changes,
    status_name,
)
from sij_audit.transforms.pages.injection_sections import describe_intervals, describe_years
from sij_audit.transforms.pages.parts import FINDINGS, MEANINGS, PolicyPart, Tables, Tile, name_part, write_count, write_date
from sij_audit.transforms.pages.provider_section import describe_providers
from sij_audit.transforms.pages.splitting import Split, list_splits
from sij_audit.transforms.pages.suppression import LEAST_MEMBERS, Cell, combine_cells, read_cells
from sij_audit.transforms.pages.templating import open_templates
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.stages.running import run_stage
from sij_audit.transforms.text import describe_newest_text, whole_dollars

READ_TABLES = (
    *("strength_cells", "rule_cells", "month_cells", "status_cells", "injection_totals", "interval_cells", "yearly_cells"),
    *("provider_cells", "billing_provider_groups", "doubt_cells", "outcome_cells", "missing_columns", "ignored_columns"),
    *("rules", "limits", "controls", "quarantine_reasons", "data_quality", "run_facts", "doubt_meanings", "policy_texts"),
)


def write_page(run: Path, path: Path) -> None:
    """Write the page of a run's folder; the same tables give the same bytes."""
    path.write_text(render_page(read_tables(run)), encoding="utf-8")


def read_tables(run: Path) -> Tables:
    """Read what the page shows of a run's folder."""
    with open_run(run) as con:
        run_stage(con, "7_page", {})
        return Tables({table: fetch_frame(con, f"from {table}") for table in READ_TABLES})


def render_page(tables: Tables) -> str:
    """Render the page."""
    policy_ids = tables["rules"]["policy_id"].unique(maintain_order=True)
    facts = tables["run_facts"].row(0, named=True)
    return (
        open_templates()
        .get_template("report.html")
        .render(
            facts=facts,
            as_of=write_date(facts["as_of"]),
            extracts=len(tables["controls"]),
            refused=tables["controls"].filter(pl.col("outcome") == "refused")["extract"].to_list(),
            rows_read=write_count(tables["controls"]["rows_read"].sum()),
            policies=[describe_policy(tables, policy_id, f"p{n}") for n, policy_id in enumerate(policy_ids, start=1)],
            data=[
                describe_missing_columns(tables),
                describe_quality(tables),
                describe_controls(tables),
                describe_quarantine(tables),
                describe_limits(tables),
            ],
            policy_texts=[
                describe_newest_text(row["policy_id"], row["newest_revision"]) for row in tables["policy_texts"].iter_rows(named=True)
            ],
            least_members=LEAST_MEMBERS,
        )
    )


def describe_policy(tables: Tables, policy_id: str, anchor: str) -> PolicyPart:
    """Describe what was found under a policy, what matters most first."""
    strengths = tables.of_policy("strength_cells", policy_id)
    splits = list_splits(strengths)
    split = splits[0] if splits else None
    cells = read_cells(strengths, pl.col("strength"), *FINDINGS)
    total = combine_cells(cells) if cells else None
    shown = total if total is not None and not total.is_small else None
    sections = [
        describe_rules(tables, policy_id, anchor, splits) if shown else None,
        describe_changes(tables, policy_id, anchor),
        describe_months(tables, policy_id, anchor) if shown else None,
        describe_intervals(tables, policy_id, anchor),
        describe_years(tables, policy_id, anchor),
        describe_providers(tables, policy_id, anchor, shown) if shown else None,
        describe_outcomes(tables, policy_id, anchor),
        describe_doubts(tables, policy_id, anchor, split) if shown else None,
    ]
    return PolicyPart(
        policy_id=policy_id,
        anchor=anchor,
        headline=_headline(tables, policy_id, total, split),
        tiles=_tiles(tables, policy_id, shown, split),
        sections=[section for section in sections if section is not None],
    )


def _headline(tables: Tables, policy_id: str, total: Cell | None, split: Split | None) -> str:
    if total is None:
        return "Nothing was found." + _changes_sentence(tables, policy_id)
    if total.is_small:
        return f"Findings concern fewer than {LEAST_MEMBERS} members, so their number is suppressed (CMS cell-size policy)."
    parts = ", ".join(_count_part(look, cell) for look, cell in split.cells.items()) if split else ""
    amount = whole_dollars(total.values["amount_at_risk"])
    headline = f"{write_count(total.values['findings'])} findings put {amount} at risk{f': {parts}' if parts else ''}."
    return headline + _changes_sentence(tables, policy_id)


def _count_part(look: Look, cell: Cell) -> str:
    return f"{write_count(cell.values['findings'])} {name_part(look)} ({whole_dollars(cell.values['amount_at_risk'])})"


def _changes_sentence(tables: Tables, policy_id: str) -> str:
    if tables.previous_run_id is None:
        return " This is the first run: all is new."
    held, withdrawn = read_changes(tables, policy_id)
    counted = [f"{write_count(cell.values['findings'])} {status_name(cell.key)}" for cell in held.cells] if held else []
    return f" Since the run before: {', '.join([*counted, withdrawn])}." if counted else ""


def _tiles(tables: Tables, policy_id: str, total: Cell | None, split: Split | None) -> list[Tile]:
    tiles = []
    if total is not None:
        tiles.append(Tile(whole_dollars(total.values["amount_at_risk"]), "at risk, no dollar counted twice"))
        tiles.append(Tile(write_count(total.values["findings"]), "findings"))
    injections = read_cells(tables.of_policy("injection_totals", policy_id), pl.col("policy_id"), ["injections"], {"injections": "members"})
    return [
        *tiles,
        *(Tile(write_count(cell.values["findings"]), MEANINGS[look], look) for look, cell in (split.cells.items() if split else ())),
        *(Tile(write_count(cell.values["injections"]), "injections looked at") for cell in injections if not cell.is_small),
    ]
