"""The report page says what the tables say, to people, and of nobody."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hatchling.builders.wheel import WheelBuilder

from sij_audit.transforms.columns import COLUMNS
from sij_audit.transforms.pages.injection_sections import describe_years
from sij_audit.transforms.pages.parts import Tables
from sij_audit.transforms.pages.report import read_tables, render_page, write_page
from sij_audit.transforms.pages.suppression import LEAST_MEMBERS
from sij_audit.transforms.pages.templating import open_templates
from sij_audit.transforms.stages.policies import policy_folders
from tests.runs import AS_OF, ROOT, Row, line, read_report, run, run_reports, write_csv, write_extract

FEW = f"fewer than {LEAST_MEMBERS} members"


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """The elements of a page as a browser would find them, each with the text right in it or in what it holds."""

    html: str
    elements: list[Element] = field(default_factory=list)
    opened: list[Element] = field(default_factory=list)

    VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.close()
        assert self.opened == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in self.VOID:
            self.opened.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop().tag == tag, "elements are closed in the order in which they were opened"

    def handle_data(self, data: str) -> None:
        for element in self.opened:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        return [
            element
            for element in self.elements
            if element.tag == tag and all(element.attributes.get(name.rstrip("_")) == value for name, value in attributes.items())
        ]

    @property
    def text(self) -> str:
        return self.all("body")[0].text

    def table(self, caption: str) -> list[list[str]]:
        """The rows of the table of that caption, as texts."""
        rows: list[list[str]] = []
        tables = iter(self.elements)
        for element in tables:
            if element.tag == "caption" and element.text == caption:
                break
        else:
            raise AssertionError(f"no table {caption}")
        for element in tables:
            if element.tag == "table":
                break
            if element.tag == "tr":
                rows.append([])
            if element.tag in ("td", "th"):
                rows[-1].append(element.text)
        return rows


def page_of(out: Path) -> Page:
    path = out.parent / f"{out.name}.html"
    write_page((out / "current").resolve(), path)
    return Page(path.read_text(encoding="utf-8"))


def dollars(text: str) -> Decimal:
    return Decimal(text.replace("$", "").replace(",", ""))


def too_close(persons: int, first: int = 0, **changes: Any) -> list[Row]:
    """Each of so many persons has three injections of one side, the third 36 days after the second: one violation each."""
    return [
        row
        for n in range(first, first + persons)
        for row in (
            line(f"A{n}", "2023-01-02", person=f"PERSON{n}", **changes),
            line(f"B{n}", "2023-03-05", person=f"PERSON{n}", **changes),
            line(f"C{n}", "2023-04-10", person=f"PERSON{n}", **changes),
        )
    ]


def test_the_headline_has_the_numbers_of_the_report(sample: Path) -> None:
    findings = read_report(sample)
    counts = Counter(finding["strength"] for finding in findings)
    (headline,) = [element.text for element in page_of(sample).all("p", class_="lead")]
    assert headline.startswith(f"{len(findings)} findings put ${sum(finding['amount_at_risk'] for finding in findings):,.0f} at risk: ")
    parts = {"proven": "violations", "presumed": "violations", "likely": "reviews", "possible": "reviews"}
    for strength, determination in parts.items():
        assert f"{counts[strength]} {strength} {determination} ($" in headline


def test_every_breakdown_of_findings_sums_to_the_report(sample: Path) -> None:
    page = page_of(sample)
    findings = read_report(sample)
    for caption in ("Findings and dollars at risk by rule and strength", "Findings and dollars at risk by quarter of service"):
        _, *rows = page.table(caption)
        assert sum(int(row[-2]) for row in rows) == len(findings)
        assert sum(dollars(row[-1]) for row in rows) == sum(finding["amount_at_risk"] for finding in findings)


def test_intervals_and_years_sum_to_the_reports(sample: Path) -> None:
    page = page_of(sample)
    intervals = [row for row in read_report(sample, "timelines") if row["track"] == "any" and row["days_since_previous"] is not None]
    member_years = {(row["person_id"], row["service_date"].year) for row in read_report(sample, "injections")}
    _, *days = page.table("Injections by days since the one before")
    _, *years = page.table("Member-years by injections in the year")
    assert sum(int(row[1]) for row in days) == len(intervals)
    assert sum(int(row[1]) for row in years) == len(member_years)


def test_control_totals_are_those_of_the_report_and_balance(sample: Path) -> None:
    page = page_of(sample)
    _, *rows, total = page.table("Rows: read, and what became of them")
    assert len(rows) == len(read_report(sample, "controls"))
    for row in (*rows, total):
        read, *fates = (int(cell.replace(",", "")) for cell in row[2:])
        assert read == sum(fates)
    _, *amounts = page.table("Dollars paid: read, and what became of them")
    for row in amounts:
        paid, *parts = (dollars(cell) for cell in row[2:])
        assert paid == sum(parts)


def test_reasons_of_quarantined_rows_are_those_of_the_report(sample: Path) -> None:
    _, *rows = page_of(sample).table("Quarantined rows by reason")
    reasons = read_report(sample, "quarantine_reasons")
    assert len(rows) == len(reasons)
    assert sum(int(row[4]) for row in rows) == sum(row["row_count"] for row in reasons) == 20


def test_a_page_of_a_run_that_refused_extracts_says_so_first(tmp_path: Path) -> None:
    good = write_extract(tmp_path / "good.csv", [line("A", "2023-01-10")])
    bad = write_extract(tmp_path / "bad.csv", [line("B", "2023-01-10") | {"member_id": None}])
    run_reports(tmp_path / "out", good, bad)
    page = page_of(tmp_path / "out")
    (first, *_rest) = [element.text for element in page.all("p", class_="lead")]
    assert first.startswith("1 extract was refused, and nothing of it was audited: bad.csv")
    _, [extract, outcome, reason, *_] = page.table("Quarantined rows by reason")
    assert (extract, outcome, reason) == ("bad.csv", "refused", "missing_member: member_id is empty")


def test_a_page_of_a_run_without_quarantined_rows_says_so(tmp_path: Path) -> None:
    run_reports(tmp_path / "out", write_extract(tmp_path / "good.csv", [line("A", "2023-01-10")]))
    page = page_of(tmp_path / "out")
    assert "No row was quarantined." in page.html
    assert "were refused" not in page.html


def test_no_person_member_or_claim_is_named(sample: Path) -> None:
    words = set(re.findall(r"[\w-]+", page_of(sample).html))
    lines = read_report(sample, "lines")
    for name in ("person_id", "member_id", "claim_id"):
        assert not words & {row[name] for row in lines}
    assert not words & {finding["finding_id"] for finding in read_report(sample)}


def test_one_run_has_one_page(sample: Path) -> None:
    assert page_of(sample).html == page_of(sample).html


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(sample: Path) -> None:
    page = page_of(sample)
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy.attributes["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & {element.tag for element in page.elements}
    for element in page.elements:
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert name not in ("src", "srcset", "action", "data") or name == "data"
            assert name != "href" or str(value).startswith("#")
    assert set(re.findall(r"url\((.)", page.html)) <= {"#"}
    assert "@import" not in page.html


def test_who_does_not_see_the_page_finds_the_same(sample: Path) -> None:
    page = page_of(sample)
    assert page.all("html")[0].attributes["lang"] == "en"
    assert [len(page.all(tag)) for tag in ("h1", "main", "header", "footer")] == [1, 1, 1, 1]
    levels = [int(element.tag[1]) for element in page.elements if re.fullmatch("h[1-6]", element.tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels)), "no level of headings is left out"
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(set(ids)) == len(ids)
    named = [
        str(element.attributes[name])
        for element in page.elements
        for name in ("aria-labelledby", "aria-describedby")
        if name in element.attributes
    ]
    links = [str(element.attributes["href"])[1:] for element in page.all("a")]
    assert {*named, *links} <= set(ids)
    assert page.all("a")[0].attributes["href"] == "#content"
    charts = page.all("svg")
    assert charts
    assert all(chart.attributes["role"] == "img" and "aria-labelledby" in chart.attributes for chart in charts)
    assert all(cell.attributes.get("scope") in ("row", "col") for cell in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) >= 5


def test_findings_of_few_members_are_not_counted(tmp_path: Path) -> None:
    run_reports(tmp_path / "out", write_extract(tmp_path / "a.parquet", too_close(LEAST_MEMBERS - 1)))
    page = page_of(tmp_path / "out")
    assert len(read_report(tmp_path / "out")) == LEAST_MEMBERS - 1
    (headline,) = [element.text for element in page.all("p", class_="lead")]
    assert headline == f"Findings concern {FEW}, so their number is suppressed (CMS cell-size policy)."
    assert page.all("svg") == []
    policy_part = page.text.split("The data")[0]
    assert "injections looked at" not in policy_part
    assert "at risk" not in policy_part


def test_findings_of_eleven_members_are_counted(tmp_path: Path) -> None:
    run_reports(tmp_path / "out", write_extract(tmp_path / "a.parquet", too_close(LEAST_MEMBERS)))
    page = page_of(tmp_path / "out")
    assert page.all("p", class_="lead")[0].text.startswith("11 findings put $2,050 at risk: 11 presumed violations ($2,050).")
    assert page.table("Findings and dollars at risk by month of service")[1:] == [["2023-04", "11", "$2,050.40"]]


def test_violations_are_not_shown_by_themselves_where_reviews_are_few(tmp_path: Path) -> None:
    reviews = too_close(3, first=50, prior_authorization_number="approved")
    run_reports(tmp_path / "out", write_extract(tmp_path / "a.parquet", [*too_close(27), *reviews]))
    assert Counter(finding["determination"] for finding in read_report(tmp_path / "out")) == {"violation": 27, "review": 3}
    page = page_of(tmp_path / "out")
    assert page.all("p", class_="lead")[0].text.startswith("30 findings put")
    assert not re.search(r"\b27\b", page.text.split("The data")[0]), "nor can the number of reviews be had by subtraction"


def test_what_changed_is_shown_where_it_concerns_enough(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_reports(out, write_extract(tmp_path / "a.parquet", too_close(20)))
    assert "This is the first run: all is new." in page_of(out).text
    run_reports(out, write_extract(tmp_path / "b.parquet", too_close(15, first=100)))
    page = page_of(out)
    assert page.table("Findings and dollars at risk by status")[1:] == [["new", "15", "$2,796.00"], ["open as before", "20", "$3,728.00"]]
    assert "Since the run before: 15 new, 20 open as before, none withdrawn." in page.text


def test_a_few_new_findings_are_not_shown_apart_from_the_others(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_reports(out, write_extract(tmp_path / "a.parquet", too_close(20)))
    run_reports(out, write_extract(tmp_path / "b.parquet", too_close(3, first=100)))
    page = page_of(out)
    assert "23 findings put" in page.text
    assert not re.search(
        r"\b(3|20)\b", page.text.split("The data")[0].split("By rule")[0].replace("CP.MP.166", "").split("findings put")[1]
    )
    assert "Suppressed: it would give away a group of fewer than 11 members (CMS cell-size policy)." in page.text


def test_withdrawn_findings_count_in_no_total(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_reports(out, write_extract(tmp_path / "a.parquet", too_close(30)))
    voids = [row | {"claim_frequency_code": "8", "paid_date": AS_OF} for row in too_close(12) if row["claim_id"][0] == "C"]
    run_reports(out, write_extract(tmp_path / "b.parquet", voids))
    assert Counter(finding["status"] for finding in read_report(out)) == {"open": 18, "withdrawn": 12}
    page = page_of(out)
    assert page.all("p", class_="lead")[0].text.startswith("18 findings put")
    assert "12 withdrawn" in page.text


def test_a_provider_stands_out_with_the_numbers_behind_its_rate(tmp_path: Path) -> None:
    compliant = [line(f"L{n}", "2023-03-01", person=f"CALM{n}", billing_npi="1111111111") for n in range(100)]
    some = too_close(12, first=100, billing_npi="1111111111")
    out = tmp_path / "out"
    run_reports(out, write_extract(tmp_path / "a.parquet", [*compliant, *some, *too_close(14, billing_npi="2222222222")]))
    page = page_of(out)
    header, *rows = page.table("Findings and injections of providers")
    assert header == ["Billing NPI", "Injections", "Findings", "At the rate of all", "Per 100 injections", "Of all", "At risk"]
    assert rows[0] == ["2222222222", "42", "14", "6.1", "33.3", "14.6", "$2,609.60"]
    assert rows[1] == ["All providers", "178", "26", "26.0", "14.6", "14.6", "$4,846.40"]
    assert "1 of 2 providers do not stand out, or cannot be shown." in page.text
    assert "1111111111" not in page.html


def test_a_provider_that_is_hardly_above_the_others_does_not_stand_out(tmp_path: Path) -> None:
    compliant = [line(f"L{n}", "2023-03-01", person=f"CALM{n}", billing_npi="1111111111") for n in range(10)]
    out = tmp_path / "out"
    rows = [*compliant, *too_close(40, first=100, billing_npi="1111111111"), *too_close(40, billing_npi="2222222222")]
    run_reports(out, write_extract(tmp_path / "a.parquet", rows))
    page = page_of(out)
    assert "2222222222" not in page.html
    assert "None that can be shown has far more findings than its injections would have" in page.text


def test_a_provider_of_few_members_with_findings_is_not_shown(tmp_path: Path) -> None:
    compliant = [line(f"L{n}", "2023-03-01", person=f"CALM{n}", billing_npi="2222222222") for n in range(12)]
    out = tmp_path / "out"
    rows = [*too_close(40, billing_npi="1111111111"), *compliant, *too_close(10, first=100, billing_npi="2222222222")]
    run_reports(out, write_extract(tmp_path / "a.parquet", rows))
    page = page_of(out)
    assert "2222222222" not in page.html
    assert "Providers that stand out" in page.text


def test_what_a_provider_had_no_part_in_cannot_be_had_by_subtraction(tmp_path: Path) -> None:
    """All but 3 members' findings have a line of the facility, which stands out; the physician billed them all."""
    compliant = [line(f"L{n}", "2023-03-01", person=f"CALM{n}", billing_npi="1111111111") for n in range(100)]
    some = too_close(17, billing_npi="1111111111")
    facility = [row | {"claim_id": f"F{row['claim_id']}", "billing_npi": "2222222222", "hcpcs_code": "G0260"} for row in some[:42]]
    out = tmp_path / "out"
    run_reports(
        out, write_extract(tmp_path / "a.parquet", [*compliant, *some, *[row | {"claim_type": "institutional"} for row in facility]])
    )
    billers = [{claim_line["billing_npi"] for claim_line in row["claim_lines"]} for row in read_report(out)]
    assert [billers.count({"1111111111"}), billers.count({"1111111111", "2222222222"})] == [3, 14]
    page = page_of(out)
    assert "2222222222" not in page.html
    assert "Providers that stand out" in page.text


HOSTILE = ("<script>alert(1)</script>", '"onload="alert(1)', "'><img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "</svg><a href=//x>")


def test_hostile_names_come_out_as_text(tmp_path: Path) -> None:
    compliant = [line(f"L{n}", "2023-03-01", person=f"CALM{n}", billing_npi=HOSTILE[1]) for n in range(100)]
    rows = [*compliant, *too_close(12, first=100, billing_npi=HOSTILE[1]), *too_close(14, billing_npi=HOSTILE[0])]
    header = [*(column.name for column in COLUMNS), *HOSTILE]
    extract = write_csv(
        tmp_path / """'"<b onload=x>&.csv""", header, ([*(row[column.name] for column in COLUMNS), *("x" for _ in HOSTILE)] for row in rows)
    )
    out = tmp_path / "out"
    run(out, extract)
    page = page_of(out)
    assert not {"script", "img", "b"} & {element.tag for element in page.elements}
    assert not [name for element in page.elements for name in element.attributes if name.startswith("on")]
    assert all(str(element.attributes["href"]).startswith("#") for element in page.all("a"))
    for text in (HOSTILE[0], extract.name):
        assert text in page.text
    assert "ignored: 5; the report columns names them" in page.text
    assert [text for text in HOSTILE[1:] if text in page.text] == []
    assert page.table("Findings and injections of providers")[1][0] == HOSTILE[0]
    assert HOSTILE[0] in [element.text for element in page.all("text")]
    assert "49" not in [element.text for element in page.all("p")]


def test_columns_that_extracts_lack_are_named_with_what_that_means(tmp_path: Path) -> None:
    header = [column.name for column in COLUMNS if column.name not in ("line_of_business", "state")]
    extract = write_csv(tmp_path / "a.csv", header, ([row[name] for name in header] for row in too_close(12)))
    run_reports(tmp_path / "out", extract)
    page = page_of(tmp_path / "out")
    rows = {row[0]: row[1:] for row in page.table("Columns that extracts lack")}
    assert rows["line_of_business"][::2] == ["1 of 1", "every finding is a review until --line-of-business says which it is"]
    assert "state" not in rows
    assert "state" in page.text


def test_doubts_are_shown_with_what_would_settle_them(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_reports(
        out, write_extract(tmp_path / "a.parquet", [*too_close(20), *too_close(12, first=100, prior_authorization_number="approved")])
    )
    assert page_of(out).table("Doubts, and what would settle them")[1:] == [
        ["The service was approved beforehand", "the prior authorization and what it covered", "12", "$2,236.80"]
    ]


def test_reviews_with_a_doubt_of_few_cannot_be_had_by_taking_the_others_from_all(tmp_path: Path) -> None:
    """Of 20 violations and 16 reviews 3 have an open side."""
    out = tmp_path / "out"
    unsided = [row | {"hcpcs_modifier_1": None} for row in too_close(3, first=200)]
    run_reports(
        out,
        write_extract(tmp_path / "a.parquet", [*too_close(20), *too_close(13, first=100, prior_authorization_number="approved"), *unsided]),
    )
    found = read_report(out)
    few = [row for row in found if "side_open" in row["doubts"]]
    assert len({row["person_id"] for row in few}) == 3
    page = page_of(out)
    assert str(len([row for row in found if "authorized" in row["doubts"]])) not in {element.text for element in page.all("td")}
    assert "Doubts that findings have, and what would settle them" in page.text


def test_doubts_of_few_members_are_named_and_counted_together(tmp_path: Path) -> None:
    out = tmp_path / "out"
    few = [*too_close(8, first=100, line_of_business=None), *too_close(5, first=200, hcpcs_modifier_2="52")]
    many = too_close(20, first=300, prior_authorization_number="approved")
    run_reports(out, write_extract(tmp_path / "a.parquet", [*too_close(20), *few, *many]))
    assert [[row[0], row[2]] for row in page_of(out).table("Doubts, and what would settle them")[1:]] == [
        ["The service was approved beforehand", "20"],
        ["A modifier says that the procedure was reduced or stopped", "in others"],
        ["The line of business does not say whether CMS coverage takes precedence", "in others"],
        ["Others together", "13"],
    ]


def test_a_few_doubts_are_named_and_not_counted(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_reports(
        out, write_extract(tmp_path / "a.parquet", [*too_close(20), *too_close(2, first=100, prior_authorization_number="approved")])
    )
    assert page_of(out).table("Doubts that findings have, and what would settle them")[1:] == [
        ["The service was approved beforehand", "the prior authorization and what it covered"]
    ]


def test_a_run_over_nothing_has_a_page(tmp_path: Path) -> None:
    run_reports(tmp_path / "out", write_extract(tmp_path / "a.csv", [line("A1", "2023-03-01", "99213")]))
    page = page_of(tmp_path / "out")
    assert "Nothing was found." in page.text
    assert page.all("svg") == []


@pytest.fixture(scope="module")
def nothing(sample: Path) -> Tables:
    """What the page reads, with two policies of the sample's limits and no row of anything else."""
    tables = read_tables((sample / "current").resolve())
    rules, limits = tables["rules"].head(1), tables["limits"]
    facts = tables["run_facts"].with_columns(previous_run_id=pl.lit("R1"))
    kept = {
        "run_facts": facts,
        **{
            name: pl.concat([rows.with_columns(policy_id=pl.lit(policy)) for policy in "AB"])
            for name, rows in (("rules", rules), ("limits", limits))
        },
    }
    return Tables({name: kept.get(name, frame.clear()) for name, frame in tables.frames.items()})


def with_rows(tables: Tables, **rows: Sequence[Row]) -> Tables:
    """The same tables with these rows in some of them."""
    return Tables({**tables.frames, **{name: pl.DataFrame(given, tables[name].schema) for name, given in rows.items()}})


def members(*numbers: int) -> list[str]:
    return [f"P{n}" for n in numbers]


def outcome(rule: str, upheld: Sequence[str], overturned: Sequence[str], count: tuple[int, int] | None = None) -> Row:
    kept, dropped = count or (len(upheld), len(overturned))
    return {
        "policy_id": "A",
        "rule_id": rule,
        "title": rule.upper(),
        "determination": "violation",
        "reviewed": kept + dropped,
        "upheld": kept,
        "overturned": dropped,
        "recovered_amount": Decimal("10.00"),
        "members_upheld": upheld,
        "members_overturned": overturned,
    }


def test_overturn_rates_are_shown_where_both_outcomes_concern_enough(nothing: Tables) -> None:
    outcomes = [outcome("r1", members(*range(30)), members(*range(40, 55))), outcome("r2", members(*range(60, 80)), [])]
    page = Page(render_page(with_rows(nothing, outcome_cells=outcomes)))
    assert page.table("What became of reviewed findings")[1:] == [
        ["R1, violation", "45", "30", "15", "33.3 %", "$10.00"],
        ["R2, violation", "20", "20", "0", "0.0 %", "$10.00"],
    ]


def test_an_overturn_rate_of_few_members_is_suppressed(nothing: Tables) -> None:
    few = [outcome("r1", members(*range(30)), members(40, 41)), outcome("r2", members(*range(60, 80)), members(*range(50, 59)))]
    page = Page(render_page(with_rows(nothing, outcome_cells=few)))
    assert page.table("What became of reviewed findings")[1:] == [["All reviewed findings", "61", "50", "11", "18.0 %", "$20.00"]]


def test_reviewed_findings_whose_persons_are_unknown_count_as_few(nothing: Tables) -> None:
    gone = [outcome("r1", [], members(*range(40)), count=(3, 40))]
    assert "What became of reviewed findings" not in render_page(with_rows(nothing, outcome_cells=gone))


def test_without_reviews_the_page_does_not_mention_them(nothing: Tables) -> None:
    assert "What reviewers decided" not in render_page(nothing)


def test_each_policy_has_its_part_and_no_dollar_is_summed_over_them(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "policy.toml").write_text('extends = "cp_mp_166"\npolicy_id = "X.1"\n', encoding="utf-8")
    extract = write_extract(tmp_path / "a.parquet", too_close(20))
    run_reports(tmp_path / "out", extract, policy_folders=(*policy_folders(), other))
    page = page_of(tmp_path / "out")
    assert [element.text for element in page.all("h2")] == ["Policy CP.MP.166", "Policy X.1", "The data"]
    assert [element.text.split(":")[0] for element in page.all("p", class_="lead")] == ["20 findings put $3,728 at risk"] * 2
    assert "7,456" not in page.text
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(set(ids)) == len(ids)


def test_members_of_many_injections_in_a_year_are_put_together_until_they_are_enough(nothing: Tables) -> None:
    counts = {1: range(40), 2: range(40, 60), 3: range(60, 67), 4: range(67, 72), 7: range(72, 73)}
    rows = [{"policy_id": "A", "injections": n, "member_years": len(who), "members": members(*who)} for n, who in counts.items()]
    section = describe_years(with_rows(nothing, yearly_cells=rows), "A", "p1")
    assert section is not None
    assert section.tables[0].rows == [["1", "40"], ["2", "20"], ["3 or more", "13"]]


def test_templates_are_packed() -> None:
    packed = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {f"sij_audit/transforms/pages/templates/{name}" for name in open_templates().list_templates()} <= packed
    assert "sij_audit/transforms/pages/templates/report.html" in packed
