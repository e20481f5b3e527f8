"""A member's page and its form in the terminal show what the tables say of one person, why, and nothing of it to anybody else."""

import json
import re
import stat
from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from sij_audit.transforms.errors import AuditError, UsageError
from sij_audit.transforms.handoff.reviews import import_dispositions, suppress
from sij_audit.transforms.pages.marks import Labels, choose_tracks
from sij_audit.transforms.pages.member_page import render_member
from sij_audit.transforms.pages.member_text import show_member
from sij_audit.transforms.pages.members import Member, read_member
from sij_audit.transforms.pages.time_axis import MARKS_A_PANEL, WIDTH, Scale, cut_panels
from sij_audit.transforms.pages.timeline_pictures import draw_finding, draw_timeline
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.stages.policies import RULES
from sij_audit.transforms.store.folder import Store
from tests.pages.test_report import Page
from tests.runs import AS_OF, PLANTED, Row, command, line, read_report, run, write_csv, write_extract

HOSTILE = '"><img src=x onerror=alert(1)>'
ESCAPE = "\x1b[2J"
RICH = (
    line("R0", "2022-01-10", "27096", "LT", "KX"),
    line("R1", "2022-04-02", "27096", "50"),
    line("R2", "2022-05-20", "27096", "LT"),
    line("R3", "2022-07-30", "27096", "76"),
    line("R4", "2022-09-30", "27096", "LT"),
    line("R5", "2022-11-05", "27096", "LT"),
    line("R6", "2022-11-05", "64451", "LT"),
    line("R7", "2023-01-20", "62323"),
    line("R8", "2023-03-01", claim_status="denied"),
    line("R9", "2023-08-15", "27096", "LT"),
    line("R9F", "2023-08-15", "G0260", "LT", "RT", billing_npi="9200090999"),
)


@pytest.fixture(scope="module")
def members(sample: Path) -> tuple[Member, ...]:
    """Everybody planted in the sample."""
    return tuple(read_people(sample, sorted({row["person_id"] for row in read_planted(sample, "lines")})))


def read_planted(out: Path, report: str) -> list[Row]:
    """The rows of a report on the planted persons."""
    return [row for row in read_report(out, report) if row["person_id"] in PLANTED]


def read_people(out: Path, people: list[str]) -> Iterator[Member]:
    folder = (out / "current").resolve()
    with open_run(folder) as con:
        for person in people:
            yield read_member(con, folder, person)


def audit(folder: Path, *rows: Row, person: str = "P1", **settings: Any) -> Member:
    """Audit a few lines and read a person of them."""
    run(folder / "out", write_extract(folder / "x.parquet", rows), **settings)
    return next(read_people(folder / "out", [person]))


def text_of(member: Member, width: int = 140) -> str:
    """The form of the terminal, as plain text."""
    console = Console(width=width, highlight=False, markup=False, emoji=False, record=True, file=StringIO())
    show_member(member, console)
    return console.export_text()


# --- what is drawn


def test_everybody_has_a_page_and_every_finding_stands_on_it_with_its_reason(members: tuple[Member, ...], sample: Path) -> None:
    assert sum(len(member.findings) for member in members) == len(read_planted(sample, "findings")) > 50
    for member in members:
        page = Page(render_member(member))
        words = " ".join(element.text for element in page.elements if element.tag in ("p", "dd", "li"))
        targets = {element.attributes.get("id") for element in page.elements}
        links = [element.attributes["href"] for element in page.elements if element.tag == "a"]
        assert {link[1:] for link in links if link} <= targets
        for finding in member.findings:
            assert finding.row["rationale"] in words
            assert f"finding-{finding.number}" in targets
            assert all(doubt in words for doubt in (*finding.row["doubts"], *finding.row["presumptions"]))


def test_every_injection_lies_once_on_each_track_that_holds_it(members: tuple[Member, ...]) -> None:
    for member in members:
        [timeline] = member.timelines
        drawn = draw_timeline(timeline, member, "t")
        marks = sum(len(re.findall('class="injection ', picture.shapes)) for picture in drawn.pictures)
        tracks = choose_tracks(timeline.injections)
        assert marks == sum(bool(track.holds(injection)) for track in tracks for injection in timeline.injections)
        assert all(any(track.holds(injection) for track in tracks) for injection in timeline.injections)


def test_every_line_stands_in_the_table_with_why_it_does_not_count(members: tuple[Member, ...], sample: Path) -> None:
    shown = [(line.claim_id, line.claim_line_number, line.reason_not_live is None) for member in members for line in member.lines]
    assert sorted(shown) == sorted(
        (row["claim_id"], row["claim_line_number"], row["line_status"] == "live") for row in read_planted(sample, "lines")
    )
    assert all(line.reason_not_live in render_member(member) for member in members for line in member.uncounted if line.reason_not_live)


def test_an_injection_that_came_too_early_lies_in_the_time_that_was_asked_for(members: tuple[Member, ...]) -> None:
    found = [(member, finding) for member in members for finding in member.findings if finding.kind == "interval"]
    assert found
    for member, finding in found:
        picture = draw_finding(finding, member.timelines[0])
        assert picture
        [(left, width)] = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="[\d.]+" class="asked"', picture.shapes)
        [plumb] = set(re.findall(rf'<line x1="([\d.]+)"[^>]*class="plumb {finding.determination}"', picture.shapes))
        assert float(left) < float(plumb) < float(left) + float(width)
        assert f"{finding.earliest_compliant_date}: the first date that would comply" in picture.shapes


def test_those_counted_each_count_on_the_day_of_the_finding_and_the_first_to_end_would_let_it_comply(members: tuple[Member, ...]) -> None:
    found = [(member, finding) for member in members for finding in member.findings if finding.kind == "count"]
    assert found
    for member, finding in found:
        counted = [injection for injection in member.timelines[0].injections if injection.service_date in finding.counted_dates]
        assert len(counted) == 4
        assert all(injection.service_date < finding.service_date < injection.count_end_date for injection in counted)
        assert min(injection.count_end_date for injection in counted) == finding.earliest_compliant_date
        picture = draw_finding(finding, member.timelines[0])
        assert picture
        assert re.findall(r'class="tiny"[^>]*>(\d)<', picture.shapes) == ["1", "2", "3", "4"]


def test_a_finding_of_a_day_has_no_picture_and_its_other_procedures_in_a_table(tmp_path: Path) -> None:
    member = audit(tmp_path, line("A", "2023-03-01"), line("B", "2023-03-01", "64451"))
    assert {finding.kind for finding in member.findings} == {"day"}
    assert all(draw_finding(finding, member.timelines[0]) is None for finding in member.findings)
    assert "64451" in "".join(picture.shapes for picture in draw_timeline(member.timelines[0], member, "t").pictures)


def test_sides_that_are_only_possible_are_hollow_or_lie_between(tmp_path: Path) -> None:
    member = audit(tmp_path, *RICH)
    held = {
        str(injection.service_date): {track.side: track.holds(injection) for track in choose_tracks(member.timelines[0].injections)}
        for injection in member.timelines[0].injections
    }
    assert held["2022-04-02"] == {"left": "certain", "middle": None, "right": "certain"}
    assert held["2022-07-30"] == {"left": None, "middle": "possible", "right": None}
    assert held["2023-08-15"] == {"left": "certain", "middle": None, "right": "possible"}
    assert 'points="' in draw_timeline(member.timelines[0], member, "t").pictures[0].shapes


def test_limits_come_from_the_policy_and_each_policy_is_drawn(tmp_path: Path) -> None:
    policy = tmp_path / "wider"
    policy.mkdir()
    (policy / "policy.toml").write_text(
        'policy_id = "WIDER"\nextends = "cp_mp_166"\n[params]\ncount_months = 18\n[rules.interval_under_two_months]\nmin_months = 3\n'
    )
    member = audit(tmp_path, line("A", "2023-03-01"), line("B", "2023-05-10"), policy_folders=(RULES / "cp_mp_166", policy))
    ends = {
        timeline.policy_id: (str(timeline.injections[0].interval_end_date), str(timeline.injections[0].count_end_date))
        for timeline in member.timelines
    }
    assert ends == {"CP.MP.166": ("2023-05-01", "2024-03-01"), "WIDER": ("2023-06-01", "2024-09-01")}
    assert [finding.row["policy_id"] for finding in member.findings] == ["WIDER"]
    assert len(member.lines) == 2
    html = render_member(member)
    assert html.count("Timeline under") == 2
    assert "Timeline under WIDER" in text_of(member)


@pytest.mark.parametrize(
    "rows",
    [
        [line("A", "2023-03-01", claim_status="denied")],
        [line("A", "2023-03-01", "62323")],
        [line("A", "2023-03-01", line_of_business="medicare"), line("B", "2023-03-20", line_of_business="medicare")],
        [line("A", "2017-03-01")],
        [line("A", str(AS_OF + timedelta(days=3)))],
    ],
    ids=["only a denied line", "only another procedure", "another coverage", "before the policy", "after the as-of date"],
)
def test_who_has_no_finding_has_a_page_that_says_so(tmp_path: Path, rows: list[Row]) -> None:
    member = audit(tmp_path, *rows)
    html = render_member(member)
    Page(html)
    assert "No finding of this run holds" in html
    assert "<svg" in html
    assert "0 violations, 0 reviews" in text_of(member)


def test_a_finding_that_was_withdrawn_stands_apart_and_is_not_drawn(tmp_path: Path) -> None:
    rows = [line("A", "2023-03-01"), line("B", "2023-05-10"), line("C", "2023-06-01")]
    assert len(audit(tmp_path, *rows).findings) == 1
    run(tmp_path / "out", write_extract(tmp_path / "y.parquet", [line("C", "2023-06-01", claim_frequency_code="8", paid_date=AS_OF)]))
    [member] = read_people(tmp_path / "out", ["P1"])
    assert (len(member.findings), len(member.withdrawn)) == (0, 1)
    html = render_member(member)
    assert "Withdrawn in this run" in html
    assert 'href="#finding-' not in html
    assert "Withdrawn: " in text_of(member)


def test_what_reviewers_said_of_a_finding_stands_with_it(tmp_path: Path) -> None:
    member = audit(tmp_path, line("A", "2023-01-10"), line("B", "2023-04-10"), line("C", "2023-05-10"), line("D", "2023-06-10"))
    one, other = (finding.row["finding_id"] for finding in member.findings)
    header = ["finding_id", "run_id", "disposition", "recovered_amount", "reviewer", "note"]
    reviewed = write_csv(tmp_path / "reviewed.csv", header, [[one, None, "overturned", None, "R. Viewer", "<b>two visits</b>"]])
    import_dispositions(Store(tmp_path / "out"), reviewed)
    suppressed = write_csv(tmp_path / "suppressed.csv", ["finding_id", "reason", "until"], [[other, "another vendor", "2030-01-31"]])
    suppress(Store(tmp_path / "out"), suppressed)
    run(tmp_path / "out")
    [member] = read_people(tmp_path / "out", ["P1"])
    html, shown = render_member(member), text_of(member)
    assert "overturned by R. Viewer on " in html
    assert "&lt;b&gt;two visits&lt;/b&gt;" in html
    assert "<b>two visits</b>" in shown
    assert all("another vendor, until 2030-01-31" in words for words in (html, shown))


def test_hundreds_of_injections_are_cut_into_panels_that_can_be_read(tmp_path: Path) -> None:
    days = [date(2021, 1, 5) + timedelta(days=4 * index) for index in range(250)]
    member = audit(tmp_path, *(line(f"C{index}", str(day), "27096", "LT", line_of_business="medicare") for index, day in enumerate(days)))
    drawn = draw_timeline(member.timelines[0], member, "t")
    marks = [len(re.findall('class="injection ', picture.shapes)) for picture in drawn.pictures]
    assert sum(marks) == 250
    assert max(marks) <= MARKS_A_PANEL
    Page(render_member(member))


# --- for whom it is drawn


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    rows = [
        line("<script>alert(1)</script>", "2023-03-01", person=HOSTILE, billing_npi="<b>x</b>"),
        line("{{ 7*7 }}'\"&", "2023-05-10", person=HOSTILE),
        line(f"{ESCAPE}C", "2023-06-01", person=HOSTILE, member_id="</title><svg onload=alert(1)>"),
    ]
    member = audit(tmp_path, *rows, person=HOSTILE)
    assert member.findings
    html = render_member(member)
    page = Page(html)
    assert {"script", "img", "b"}.isdisjoint(element.tag for element in page.elements)
    assert not [name for element in page.elements for name in element.attributes if name.startswith("on")]
    assert "{{ 7*7 }}" in html.replace("&#39;", "'")
    assert ESCAPE not in text_of(member)


def test_the_page_asks_no_network_and_runs_no_script(members: tuple[Member, ...]) -> None:
    page = Page(render_member(members[0]))
    policies = [element.attributes["content"] for element in page.elements if element.attributes.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert {"src", "srcset", "action"}.isdisjoint(name for element in page.elements for name in element.attributes)
    assert all(str(element.attributes["href"]).startswith("#") for element in page.elements if "href" in element.attributes)
    assert {"script", "link", "iframe", "object"}.isdisjoint(element.tag for element in page.elements)


def test_a_picture_has_a_title_and_a_description_and_tables_say_the_same(tmp_path: Path) -> None:
    page = Page(render_member(audit(tmp_path, *RICH)))
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    charts = [element for element in page.elements if element.tag == "svg" and "aria-labelledby" in element.attributes]
    assert len(charts) > 1
    for chart in charts:
        assert set(str(chart.attributes["aria-labelledby"]).split()) <= set(ids)
    cells = {element.text.strip() for element in page.elements if element.tag in ("td", "th")}
    assert {str(row["claim_line_start_date"]) for row in RICH} | {str(row["claim_id"]) for row in RICH} <= cells | set(
        ", ".join(cells).split(", ")
    )


@pytest.mark.parametrize("width", [80, 140])
def test_the_terminal_cuts_nothing(tmp_path: Path, width: int) -> None:
    member = audit(tmp_path, *RICH)
    shown = text_of(member, width)
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    together = re.sub(r"[\s│┃○●▲△]+", "", shown)
    for finding in member.findings:
        for topic, statement in finding.memo:
            assert topic == "person" or re.sub(r"\s+", "", statement) in together
    assert all(line.claim_id in shown for line in member.lines)


# --- the command


def test_the_command_shows_and_writes_for_its_user_alone_and_logs_both(sample: Path, tmp_path: Path) -> None:
    shown = command("member", "P90000006", "--out", sample)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "59 days" in shown.stdout
    page = tmp_path / "page.html"
    page.write_text("older")
    written = command("member", "P90000006", "--out", sample, "--html", page)
    assert (written.returncode, written.stderr) == (0, "")
    assert str(page) in written.stdout
    assert "P90000006" not in written.stdout
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert page.read_text().startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    [log] = (sample / "access").iterdir()
    entries = [json.loads(text) for text in log.read_text().splitlines()]
    assert [entry["query"] for entry in entries if "query" in entry][-2:] == ["member P90000006"] * 2
    assert [(entry["ended"], entry["rows"], entry["output"]) for entry in entries if "ended" in entry][-2:] == [
        ("done", 3, None),
        ("done", 3, "page.html"),
    ]


def test_nothing_is_shown_where_the_look_up_cannot_be_logged(tmp_path: Path) -> None:
    audit(tmp_path, line("A", "2023-03-01"))
    access = tmp_path / "out" / "access"
    if access.exists():
        access.rmdir()
    access.write_text("no folder")
    page = tmp_path / "page.html"
    for more in ((), ("--html", str(page))):
        done = command("member", "P1", "--out", tmp_path / "out", *more)
        assert (done.returncode, done.stdout) == (4, "")
        assert "access log" in done.stderr
    assert not page.exists()


def test_who_is_not_there_is_wrong_usage_and_not_named(sample: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    for unknown in ("M90000006", "P-UNKNOWN-7", ""):
        done = command("member", unknown, "--out", sample, "--html", page)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert not unknown or unknown not in done.stderr
    assert not page.exists()
    assert command("member", "P90000006", "--out", sample, "--run", "2024-06-30-000000000000").returncode == 2
    assert command("member", "P90000006", "--out", tmp_path / "none").returncode == 2


def test_a_page_goes_to_a_file_outside_of_out(sample: Path, tmp_path: Path) -> None:
    for target in (tmp_path, tmp_path / "no folder" / "P90000006.html", sample / "P90000006.html", sample / "current" / "P90000006.html"):
        done = command("member", "P90000006", "--out", sample, "--html", target)
        assert (done.returncode, done.stdout) == (2, "")
        assert "P90000006" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_an_earlier_version_is_said_to_be_one() -> None:
    with duckdb.connect() as con:
        con.execute("create table injections (policy_id varchar, person_id varchar)")
        with pytest.raises(AuditError, match="earlier version") as raised:
            read_member(con, Path("2024-06-30-000000000000"), "P-UNKNOWN-7")
    assert not isinstance(raised.value, UsageError)
    assert "P-UNKNOWN-7" not in str(raised.value)


# --- how it is drawn

DAYS = st.dates(date(1995, 1, 1), date(2090, 1, 1))


@given(st.lists(DAYS, min_size=1, max_size=120), st.integers(0, 400))
def test_every_day_lies_in_one_panel(days: list[date], beyond: int) -> None:
    panels = cut_panels(days, max(days) + timedelta(days=beyond))
    assert all(sum(panel.holds(day) for panel in panels) == 1 for day in days)
    assert all(one.end <= other.start for one, other in pairwise(panels))
    assert all(any(panel.holds(day) for day in days) for panel in panels)
    widest = max(len({day for day in days if panel.holds(day)}) for panel in panels)
    assert widest <= MARKS_A_PANEL or all((panel.end - panel.start).days <= 31 for panel in panels)


@given(DAYS, st.integers(1, 4000), st.lists(st.integers(-500, 5000), min_size=2))
def test_later_days_never_lie_further_left(start: date, length: int, offsets: list[int]) -> None:
    scale = Scale(start, start + timedelta(days=length))
    places = [scale.x(start + timedelta(days=offset)) for offset in sorted(offsets)]
    assert places == sorted(places)
    assert all(0 < place < WIDTH for place in places)


@given(st.lists(st.tuples(st.integers(150, 980), st.text("0123456789 JanMy", min_size=1, max_size=12)), max_size=60))
def test_no_label_covers_another(wanted: list[tuple[int, str]]) -> None:
    labels = Labels()
    boxes = []
    for x, content in sorted(wanted):
        if label := labels.place(x, 100, content):
            middle, y = (float(value) for value in re.findall(r'[xy]="([\d.]+)"', label))
            half = len(content) * 7 / 2
            boxes.append((y, middle - half, middle + half))
    for index, (y, left, right) in enumerate(boxes):
        assert all(y != other or right <= start or left >= end for other, start, end in boxes[:index])
