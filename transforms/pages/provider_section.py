"""The section of the report page on providers: those with far more findings than others have, and the numbers behind their rates."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from sij_audit.transforms.pages.charts import Axis, Bar, BarRow, Caption, Mark, draw_bars
from sij_audit.transforms.pages.parts import SUPPRESSED, Section, Table, Tables, write_count
from sij_audit.transforms.pages.suppression import LEAST_MEMBERS, Cell, read_cells, suppress_small_cells
from sij_audit.transforms.text import dollars

STANDING_OUT = 10
"""So many providers are shown."""

NO_NPI = "no NPI"


def rank_providers(providers: pl.DataFrame, of_all: float) -> pl.DataFrame:
    """Choose the providers with far more findings than their injections would have at the rate of all, the furthest first.

    `of_all` is that rate, for each hundred injections. Far more is above the expected number by at least twice its square root, which chance
    seldom does. Adds `expected`, that number, and `rate`.
    """
    expected = pl.col("expected")
    return (
        providers.with_columns(expected=of_all * pl.col("injections") / 100)
        .filter((expected > 0) & (pl.col("findings") >= expected + 2 * expected.sqrt()))
        .with_columns(rate=100 * pl.col("findings") / pl.col("injections"))
        .sort(expected - pl.col("findings"), "provider")
        .head(STANDING_OUT)
    )


def describe_providers(tables: Tables, policy_id: str, anchor: str, total: Cell) -> Section:
    """Show the providers that stand out.

    Others have no row: a finding is under each NPI that billed for it, so rows of all would sum to the total and those that are in it twice.
    """
    title = "Providers that stand out"
    rows = tables.of_policy("provider_cells", policy_id).with_columns(
        pl.col("billing_npi").replace("", None).fill_null(NO_NPI).alias("provider")
    )
    of_all: float | None = next(iter(rows["findings_per_100_injections_of_all"]), None)
    injections = int(tables.of_policy("injection_totals", policy_id)["injections"].sum())
    values = ("injections", "findings", "amount_at_risk")
    cells = read_cells(rows, pl.col("provider"), values, {"injections": "members", "findings": "members_with_findings"})
    breakdown = suppress_small_cells(cells)
    if breakdown is None or of_all is None or not injections:
        return Section(
            f"{anchor}-providers",
            title,
            [f"Suppressed: no provider with findings of {LEAST_MEMBERS} members is beside others of as many (CMS cell-size policy)."],
        )
    shown = rows.filter(pl.col("provider").is_in([cell.key for cell in breakdown.shown])).select("provider", *values)
    above = list(rank_providers(shown, of_all).iter_rows(named=True))
    if not above:
        sentence = "None that can be shown has far more findings than its injections would have at the rate of all"
        return Section(f"{anchor}-providers", title, [f"{sentence}, {of_all:.1f} for each hundred."])
    while above and _leaves_few(tables.of_policy("billing_provider_groups", policy_id), [row["provider"] for row in above]):
        above.pop()
    if not above:
        return Section(f"{anchor}-providers", title, [SUPPRESSED])
    caption = Caption(
        f"{anchor}-providers-chart",
        "Findings per 100 injections, by billing NPI",
        "Findings in each hundred injections of providers that stand out, with a line at the rate of all. The table has the numbers.",
    )
    bars = [BarRow(row["provider"], [Bar(row["rate"], f"{row['rate']:.1f}")]) for row in above]
    drawn = draw_bars(
        caption, Axis("findings per 100 injections", lambda value: f"{value:g}"), bars, Mark(of_all, of_all, f"all providers: {of_all:.1f}")
    )
    findings = total.values["findings"]
    all_providers = {
        "provider": "All providers",
        "injections": injections,
        "findings": findings,
        "expected": of_all * injections / 100,
        "rate": 100 * float(findings) / injections,
        "amount_at_risk": total.values["amount_at_risk"],
    }
    table = Table(
        "Findings and injections of providers",
        ["Billing NPI", "Injections", "Findings", "At the rate of all", "Per 100 injections", "Of all", "At risk"],
        [_write_provider(row, of_all) for row in above],
        frozenset({1, 2, 3, 4, 5, 6}),
        _write_provider(all_providers, of_all),
    )
    return Section(
        f"{anchor}-providers",
        title,
        [
            f"At most {STANDING_OUT} providers with far more findings than their injections would have at the rate of all, the furthest first.",
            "Far more: above that number by at least twice its square root, which chance seldom does.",
            "A finding counts under each NPI that billed a cited line, of whatever procedure. A rate says where to look, not why.",
        ],
        charts=[(caption.title, drawn)],
        tables=[table],
        notes=[
            f"{write_count(len(rows) - len(above))} of {write_count(len(rows))} providers do not stand out, or cannot be shown.",
            f"A provider can be shown where at least {LEAST_MEMBERS} of its members have injections, and as many findings.",
        ],
        is_open=True,
    )


def _leaves_few(groups: pl.DataFrame, shown: Sequence[str]) -> bool:
    """Find out whether injections or findings without a line of these NPIs concern too few members: they are the total less the rows shown."""
    npis = ["" if provider == NO_NPI else provider for provider in shown]
    others = groups.filter(~pl.col("billing_npis").list.eval(pl.element().is_in(npis)).list.any())
    counts = dict(others.group_by("measure").agg(pl.col("members").explode().drop_nulls().n_unique()).iter_rows())
    return any(counts.get(measure, 0) < LEAST_MEMBERS for measure in ("injections", "findings"))


def _write_provider(row: Mapping[str, Any], of_all: float) -> list[str]:
    return [
        row["provider"],
        write_count(row["injections"]),
        write_count(row["findings"]),
        f"{row['expected']:,.1f}",
        f"{row['rate']:.1f}",
        f"{of_all:.1f}",
        dollars(row["amount_at_risk"]),
    ]
