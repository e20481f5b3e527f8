"""A member's timeline in the terminal: time runs down, the sides stand beside each other, and each row has its claims."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sij_audit.transforms.pages.members import Finding, Injection, Line, Member, Timeline
from sij_audit.transforms.text import count_of, dollars, printable

PLAIN_WIDTH = 140

STYLES = {"violation": "bold red", "review": "bold blue"}

MARKS = {(False, True): "●", (True, True): "▲", (False, False): "○", (True, False): "△"}
"""By whether it is diagnostic, and whether the side is certain."""

SIDES = ("left", "middle", "right")

NAMES = {"left": "Left", "middle": "?", "right": "Right"}

COUNTED = {"left": "left", "right": "right", "any": "all"}
"""Tracks on which injections are counted, and what they are called."""

DATE_WIDTH, SIDE_WIDTH, GAP, LEAST_WIDTH = 10, 5, 1, 20


def member_console() -> Console:
    """Where a member is shown: the terminal with its colours and width, else plain text."""
    console = Console(highlight=False, markup=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH)


def show_member(member: Member, console: Console) -> None:
    """Print the timeline under each policy, then each finding with what it rests on; nothing is cut, long text goes on in the next line."""

    def say(text: str | Text = "") -> None:
        console.print(text, overflow="fold", soft_wrap=False)

    member_numbers = f", member number {', '.join(map(printable, member.member_ids))}" if member.member_ids else ""
    say(Text(f"{printable(member.person_id)}{member_numbers}", style="bold"))
    say(f"Run {member.run_id}, services up to {member.as_of}")
    at_risk = sum((finding.row["amount_at_risk"] for finding in member.findings), Decimal())
    say(f"{member.count_determined('violation')}, {member.count_determined('review')}, {dollars(at_risk)} at risk")
    for timeline in member.timelines:
        say()
        say(Text(f"Timeline under {timeline.policy_id}", style="bold"))
        console.print(draw_timeline(timeline, member, console))
    say()
    say(Text("● therapeutic  ▲ diagnostic  ○ △ side only possible  ◆ other procedure  × does not count", style="dim"))
    say(Text("┃ the interval that the policy asks for after an injection has not passed", style="dim"))
    for finding in (*member.findings, *member.withdrawn):
        say()
        say(headline(finding))
        console.print(Padding(explain(finding), (0, 0, 0, 2)))


def headline(finding: Finding) -> Text:
    """A finding's number, strength, determination and rule in one line."""
    if finding.number is None:
        return Text(f"Withdrawn: {finding.title}, {finding.service_date}; no money may be recovered for it", style="bold")
    text = Text(f"{finding.number}. {finding.verdict} ", style=STYLES.get(finding.determination, "bold"))
    return text.append(f"{finding.row['policy_section']} {finding.title}, {finding.service_date}", style="bold")


def explain(finding: Finding) -> Table:
    """Lay out the memo of a finding, but for the person, who stands above."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", overflow="fold")
    table.add_column(overflow="fold", ratio=1)
    for topic, entry in finding.memo:
        if topic != "person":
            table.add_row(topic, printable(entry))
    return table


def draw_timeline(timeline: Timeline, member: Member, console: Console) -> Table:
    """Draw a row for each thing that happened, and between them how many days passed and when an interval ended."""
    has_middle = any(not injection.is_sided for injection in timeline.injections)
    sides = SIDES if has_middle else (SIDES[0], SIDES[2])
    table = Table.grid(padding=(0, GAP, 0, 0))
    table.add_column(no_wrap=True, width=DATE_WIDTH)
    for _ in sides:
        table.add_column(justify="center", no_wrap=True, width=SIDE_WIDTH)
    width = max(console.width - DATE_WIDTH - GAP - len(sides) * (SIDE_WIDTH + GAP), LEAST_WIDTH)
    table.add_column(width=width)
    table.add_row(*(Text(name, style="bold underline") for name in ("Date", *(NAMES[side] for side in sides), "What")))

    def add_row(day: str, marks: Sequence[Text], text: Text, rails: Sequence[Text]) -> None:
        """Add a row whose tracks go on beside text of several lines."""
        lines = text.wrap(console, width, overflow="fold")
        tracks = (Text("\n").join([mark, *(rail for _ in lines[1:])]) for mark, rail in zip(marks, rails, strict=True))
        table.add_row(day, *tracks, Text("\n").join(lines))

    events: dict[date, list[Line]] = {}
    for line in (*member.other_procedures, *member.uncounted):
        events.setdefault(line.service_date, []).append(line)
    injections = {injection.service_date: injection for injection in timeline.injections}
    findings: dict[date, list[Finding]] = {}
    for finding in timeline.findings:
        if finding.number:
            findings.setdefault(finding.service_date, []).append(finding)
    ends: dict[str, date] = {}
    before: date | None = None
    for day in sorted({*events, *injections, *findings}):
        if before:
            for text, rails in between(before, day, ends, sides):
                add_row("", rails, Text(text, style="dim"), rails)
        injection = injections.get(day)
        marks = [cell(injection, side, day, ends) for side in sides]
        if injection:
            ends |= {side: max(injection.interval_end_date, ends.get(side, day)) for side in sides if holds(injection, side) is not None}
        text_of_day = Text("\n").join(describe_day(member, injection, events.get(day, ()), findings.get(day, ())))
        add_row(str(day), marks, text_of_day, [rail(day, ends.get(side)) for side in sides])
        before = day
    last = max(ends.values(), default=None)
    if before and last and last > before:
        for text, rails in between(before, last, ends, sides):
            add_row("", rails, Text(text, style="dim"), rails)
    return table


def between(before: date, day: date, ends: dict[str, date], sides: Sequence[str]) -> Iterator[tuple[str, list[Text]]]:
    """The rows between two dates: how many days passed, and where an interval ended in them, when."""
    days = (day - before).days
    yield count_of(days, "day"), [rail(before, ends.get(side)) for side in sides]
    ended = sorted({end for side in sides if (end := ends.get(side)) and before < end <= day})
    for end in ended:
        yield f"interval passed on {end}", [rail(end, ends.get(side)) for side in sides]


def rail(day: date, end: date | None) -> Text:
    """A track on which nothing lies: heavy while the interval after the injection before has not passed."""
    return Text("┃", style="yellow") if end and day < end else Text("│", style="dim")


def holds(injection: Injection, side: str) -> bool | None:
    """Whether the injection is certain on a side, None where it is not there; `middle` has those without a certain side."""
    if side == "middle":
        return None if injection.is_sided else False
    certain = injection.is_certain_left if side == "left" else injection.is_certain_right
    possible = injection.is_possible_left if side == "left" else injection.is_possible_right
    return True if certain else False if possible and injection.is_sided else None


def cell(injection: Injection | None, side: str, day: date, ends: dict[str, date]) -> Text:
    """What stands in a side's column on a date: the injection, or the interval that goes on."""
    certain = holds(injection, side) if injection else None
    if injection is None or certain is None:
        return rail(day, ends.get(side))
    return Text(MARKS[injection.is_diagnostic, certain], style="bold")


def describe_day(member: Member, injection: Injection | None, lines: Iterable[Line], findings: Iterable[Finding]) -> Iterator[Text]:
    """Describe what was done on a date, on which claims, and what was found."""
    if injection:
        yield Text(f"{injection.site_text}, {injection.purpose}, number {injection.series_seq} of its series", style="bold")
        counts = [f"{name} {count}" for track, name in COUNTED.items() if (count := injection.count_before(track))]
        before = [f"counted before it: {', '.join(counts)}"] if counts else []
        yield Text("; ".join([*before, *([] if injection.is_diagnostic else [f"counts until {injection.count_end_date}"])]))
        yield Text(f"{dollars(injection.paid_amount)} on claims {', '.join(map(printable, injection.claim_ids))}")
        if injection.applicability != "applies":
            yield Text(
                {"precedence": "another coverage takes precedence", "not_in_force": "before the policy's date"}[injection.applicability]
            )
        if injection.doubts:
            yield Text(f"doubts: {', '.join(injection.doubts)}")
    for line in lines:
        sign, why = ("×", f": does not count, {line.reason_not_live}") if line.reason_not_live else ("◆", f", {dollars(line.paid_amount)}")
        what = " ".join([line.hcpcs_code, *line.modifiers, (line.family or "no family yet").replace("_", " ")])
        yield Text(f"{sign} {printable(what)}, claim {printable(line.claim_id)} line {line.claim_line_number}{why}")
    for finding in findings:
        complies = finding.earliest_compliant_date
        text = f"{finding.number}. {finding.verdict}: {finding.row['policy_section']} {finding.title}"
        yield Text(text + (f"; would comply from {complies}" if complies else ""), style=STYLES.get(finding.determination, "bold"))
