"""A member's page: one self-contained file with the timeline drawn, each finding explained and all claim lines; and who asked for it, logged."""

import os
import time
from dataclasses import replace
from pathlib import Path

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.pages.members import Member, read_member
from sij_audit.transforms.pages.parts import MEANINGS
from sij_audit.transforms.pages.templating import open_templates
from sij_audit.transforms.pages.time_axis import WIDTH
from sij_audit.transforms.pages.timeline_pictures import draw_timeline
from sij_audit.transforms.query.session import open_run
from sij_audit.transforms.store.access_log import Outcome, find_log, log_outcome, log_query
from sij_audit.transforms.store.durable import write_durably
from sij_audit.transforms.store.folder import PRIVATE_UMASK, Store
from sij_audit.transforms.store.runs import find_run
from sij_audit.transforms.text import dollars


def render_member(member: Member) -> str:
    """Make a member's page: HTML that holds all it needs and asks no network for anything."""
    environment = open_templates()
    environment.filters |= {"dollars": dollars}
    drawn = [draw_timeline(timeline, member, f"timeline-{index}") for index, timeline in enumerate(member.timelines, 1)]
    return environment.get_template("member.html").render(
        member=member,
        drawn=[part for part in drawn if part.pictures or part.explained],
        width=WIDTH,
        meanings=MEANINGS,
    )


def look_up(out: Path, run_id: str | None, person: str, html: Path | None) -> Member:
    """Read a person of a published run, once the access log has a line of it, and write the page where one is asked for.

    UsageError for a run or a person that is not there, or a file that cannot be written to; none of them repeats the person's id.
    """
    os.umask(PRIVATE_UMASK)
    store = Store(out)
    run = find_run(store, run_id)
    page = check_page(html, out) if html else None
    log = find_log(store.access, run.name)
    started, query_id = time.monotonic(), log_query(log, f"member {person}")
    outcome = Outcome(0, error="Interrupted")
    try:
        with open_run(run) as con:
            member = read_member(con, run, person)
        if page:
            write_page(member, page)
        outcome = Outcome(0, len(member.lines), output=page.name if page else None)
    except Exception as error:
        outcome = Outcome(0, error=type(error).__name__)
        raise
    finally:
        log_outcome(log, query_id, replace(outcome, seconds=time.monotonic() - started))
    return member


def check_page(path: Path, out: Path) -> Path:
    """Make sure that a page can be written there, and not into OUT; UsageError, which does not repeat a name that may be the member's."""
    path = path.expanduser()
    if path.is_dir():
        raise UsageError("--html names a folder. Name a file in a folder of your own.")
    if not path.parent.is_dir():
        raise UsageError("--html names a file in a folder that is not there.")
    if path.parent.resolve().is_relative_to(out.resolve()):
        raise UsageError("--html names a file in OUT, where nothing but the audit writes. Name a folder of your own.")
    return path


def write_page(member: Member, path: Path) -> None:
    """Write a member's page, for its user alone."""
    html = render_member(member)
    try:
        write_durably(path, lambda temporary: _write_text(temporary, html))
    except OSError as error:
        raise UsageError(f"The file that --html names cannot be written: {error.strerror}.") from None


def _write_text(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
