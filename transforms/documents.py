"""`docs/rules.md`, `docs/data.md` and the output that README.md and `docs/queries.md` show, rendered from headers, reference tables and code.

`python -m sij_audit.transforms.documents` writes them, with `--check` it only says which differ. What stands in a header, a table or the
layout is taken from there; the sentences typed here say what stands nowhere else.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import duckdb
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sij_audit.transforms.columns import COLUMNS, KINDS, LINE_STATUSES, QUARANTINE_REASONS, ROW_OUTCOMES, Column
from sij_audit.transforms.duck import select_report
from sij_audit.transforms.errors import EXIT_CODES, AuditError
from sij_audit.transforms.handoff.book import Limits
from sij_audit.transforms.ingest.csv_lines import LINE_LIMIT, NUL_RUN
from sij_audit.transforms.ingest.extracts import EXPANSION_FREE, EXPANSION_LIMIT
from sij_audit.transforms.ingest.formats import SUFFIXES
from sij_audit.transforms.ingest.readings import DATE_FORMS
from sij_audit.transforms.ingest.row_checks import CHECKED_DATES
from sij_audit.transforms.settings import DEFAULT_FILE, FILE_VARIABLE, PREFIX, Feed, Settings, written
from sij_audit.transforms.stages.inputs import Inputs, load_inputs, open_warehouse
from sij_audit.transforms.stages.policies import Policy, Rule, load_policies, policy_folders
from sij_audit.transforms.stages.queries import SQL, Query, load_stage
from sij_audit.transforms.stages.reference import read_reference
from sij_audit.transforms.stages.running import SETTING_NAMES, policy_values, rule_values, run_stages

ROOT = Path(__file__).resolve().parents[1]

GENERATED = "<!-- Made by `make docs` from the headers in sql/ and the tables in transforms/. Change those, not this. -->"

TIMELINE = ("policy_lines", "site_groups", "injection_series", "scopes", "injections", "neighbours", "tracks", "visits")
"""Tables of stage 2 that a reader of the rules must know of, in the order of reading."""

LINES = ("claim_rows", "line_versions", "elsewhere_reversals", "adjustments", "adjusted_claims")
"""Tables of stage 1 that a reader of the data must know of."""

PER = {"injection": "injection (one person, one date)", "date": "person and date", "code": "person, date and code"}

PARQUET_TYPES = {
    "text": "nothing else: a code or an id that is a number has lost its leading zeros",
    "integer": "an integer, or a floating-point number that is whole",
    "date": "a date, or a timestamp, of which the day counts as it stands",
    "amount": "an integer, a decimal with no digits beyond cents, a floating-point number within a millionth of an amount in whole cents",
    "units": "an integer, a decimal with no digits beyond four, a floating-point number within a millionth of an allowed one",
}

QUARANTINE_COLUMNS = {
    "source_file": "file name of the extract",
    "row_number": "number of the data record in the file, from 1",
    "reason": "the first reason that applies",
    "raw_row": "the row as it was read, in bytes; of a Parquet file, as JSON",
}

MANIFEST_KEYS = {
    "format": "number of the layout of batches and manifests",
    "run_id": "as-of date, and a hash over all that decides what the run says",
    "previous_run_id": "the run that findings were compared with; null in the first",
    "as_of": "services up to this date were audited",
    "created": "when the run was made (UTC)",
    "fingerprint": "hash over batches, refused extracts, files, settings and program: where it and the as-of date are the same, nothing is new",
    "program": "SHA-256 over all files of the program",
    "versions": "of the program and of what it computes with",
    "settings": "those that can change a report",
    "inputs": "the batches: id, path in OUT, size, SHA-256, rows, and the extract each was made of with its SHA-256",
    "refused": "SHA-256 of the extracts that the run refused, or their names where they could not be read",
    "reviews": "SHA-256 of what OUT/reviews held of dispositions and suppressions, in the order in which it came",
    "files": "policy, reference and SQL files with their SHA-256",
    "outputs": "the files of the run: path, SHA-256, rows",
    "controls": "rows and dollars of all batches: read, and by what became of them",
    "totals": "what was counted on the way, see below",
    "sha256": "over all of the above; `sij-audit verify` checks it first",
}

TOTALS = {
    "orphan_adjustments": "adjustments of audited claims that act on another claim, of which no row was ever kept: an original from before the "
    "first extract, or a feed that renumbers its claims",
    "adjustments_across_persons": "adjustments that take away a row of another person: a wrong member mended, or numbers used twice",
    "unmatched_reversals": "reversals under a claim number of their own that found no line to take back",
    "lines_after_as_of": "lines with a code of a family that lie after the as-of date and wait",
}

SETTINGS_EXAMPLE = """\
out = "out"
landing = "landing"
line_of_business = "commercial"
time_zone = "America/Chicago"
wall_clock_minutes = 120

email_from = "sij-audit@example.org"
email_to = ["claims-data@example.org"]
smtp_host = "mail.example.org"

[[feeds]]
name = "professional claims"
pattern = "claims_professional_*.csv.gz"
latest_age_hours = 30
required_columns = ["claim_status", "claim_frequency_code"]

[[feeds]]
name = "facility claims"
pattern = "claims_facility_*.parquet"
latest_age_hours = 192
"""

SETTINGS_INTRO = """\
# Settings

{generated}

What whoever runs the audit decides: where extracts lie, when to hold a run back, whom to tell. No limit of a policy is among them; those have
their place in [rules.md](rules.md).

Settings come from three places, the first that has one wins:

1. the environment: `{prefix}` and the setting's name in upper case, such as `{prefix}TIME_ZONE`; a list and feeds as JSON. An empty variable
   sets nothing.
2. a TOML file: the one that `{file_variable}` names, else `{default_file}` in the working folder. A relative path in it is meant from the
   file's own folder.
3. the program's defaults, below.

An option of the command line comes before all of them. A name that is no setting is an error, as is a value that cannot be. `sij-audit config`
shows what is in force and where it comes from, with secrets masked. A file:

```toml
{example}```
"""

SETTINGS_MORE = """\
## Telling people

A nightly run tells of itself where `notify_on` has what it came to: **success**, nobody is needed; **attention**, it ended well, and an extract
was refused, a feed did not come, or an earlier run never ended; **hold**, nothing was published and somebody must look; **failure**, nothing
was published. A run that finds OUT in use tells nobody.

`webhook_url` gets a POST of JSON: `text` (what a chat shows), `kind`, `title`, `out`, `command`, `as_of`, `exit_code`; of a run that ended
well also `run_id`, `is_published`, `notices`, `remarks`, `refused`, and where it was published `rows`, `injections`, `findings`, `rules` and
`amount_at_risk`, amounts as text; of another `message`. No redirect is followed. E-mails say the same in words. Counts, dollars, file names
and ids of runs are all that is in either. A server that does not answer is asked three times; that somebody could not be told is said on
standard error, and changes no exit code.

A secret (`webhook_url`, `smtp_password`) is better put into the environment, or into a file that the audit's user alone may read. A password is
sent over an encrypted connection or not at all.

## How long a run may take

After `wall_clock_minutes` a run is ended with exit code 4, whatever it hangs in; people are told, OUT stays as it was, and the next run goes on
where that one was. `memory_limit` is the database's; Python and what is read come on top: with the default, runs stayed below 2 GiB.

## What is deleted when

After `retention_days`, the next run deletes a file of quarantined rows, counted from when it was written, and what was kept of a retracted
extract, counted from the retraction; the extract is not taken in again until that is undone. `OUT/deletions.jsonl` says which file went when.
Published runs stay until `sij-audit prune`.
"""

RULES_INTRO = """\
# The rules

What the audit looks for, rule by rule, with the limits in force. This page says what the program does; it does not stand in for the policy.
Months are calendar months, always added to the earlier date: where the later month has no such day, its last day counts. What the words of the
reports mean, and what an extract must hold, stands in [data.md](data.md).

A limit has one place, which is named beside it. Change it there, or in a policy of your own that extends this one, and run `make docs`: the
audit, its sentences and this page follow.

## How a finding comes about

- **Determination.** {determinations} What each doubt means, and what would settle it, stands in [data.md](data.md#doubts).
- **Money.** {claimed_lines} So `amount_at_risk` adds up to distinct dollars, and `paid_amount` does not.
- **Cited lines.** {cited_lines}
- **From run to run.** {compared_findings}
"""

DATA_INTRO = """\
# The data: what goes in and what comes out

With this page a stranger can prepare an extract and read a report. The rules themselves stand in [rules.md](rules.md).

## Prepare an extract

1. Write claim lines, one row for each version of a line, with the columns of [the table below](#columns). Order of columns is free, further
   columns are ignored, and so every column of the Tuva Project's `medical_claim` may be there.
2. Give all lines of a claim, not only those of joint procedures; give denied, reversed, replaced and voided versions too, with `claim_status`
   and `claim_frequency_code`. What an extract leaves out, the audit cannot weigh.
3. Keep codes and ids as text, and dates and amounts in one of the forms below.
4. Give history: the rules look back as far as [rules.md](rules.md) says. Give extracts in the order in which they were made, and later ones
   as they come: what was taken in stays, and the same bytes are not read twice, but by another version of the program, which may read them
   otherwise.
5. Run `sij-audit run EXTRACT --out OUT --as-of DATE`; services after DATE (today, if not given) wait. Look at the exit code, at the report
   `controls` (what became of every row) and at the report `columns` (what was filled).

An extract is a file, or a folder, whose files of these kinds are all taken, by name, without subfolders and hidden files: {suffixes}.

**CSV** is comma-separated, UTF-8 with or without a byte order mark, with one header row, quoted with `"` as in RFC 4180. A blank line is
nothing. The last row must end in a newline. **Parquet** holds the same columns, as text or as types of their own. Names in the header are taken
in any case. Blanks round a name or a cell are removed, and a cell that is then empty is empty.

Beside an extract `NAME` may lie `NAME.sha256` (its SHA-256 in hex) and `NAME.totals.json` (`{{"rows": …, "paid_amount": …}}`, one or both):
an extract that does not agree with them is refused.

## Kinds of values

{kinds}

A column of dates has one form in one file: of {date_forms} the one that reads most of its values. Nothing is rounded or guessed: what does not
have the form is refused, or empty in the columns that say so.

## Columns

"+" marks columns that Tuva's layout does not have. Any other column may be missing or empty.

{columns}

### Lines of business

{lines_of_business}

## What is refused

### A row

A refused row lies in `OUT/quarantine/`, with the first reason that applies, in this order; the other rows go on. Every row is checked, the
irrelevant too. A record that cannot be parsed, after a quote that is never closed say, is as many refused rows as it has lines. Dates are
checked in {checked_dates}; in {unchecked} what cannot be read is empty.

{reasons}

### A file

A refused file stands in the report `controls` with its reason, and the command ends with exit code 3; the other extracts go on. Refused is
a file

- that is not one of {suffixes}, is no regular file or a symbolic link, or cannot be opened;
- that is empty, or whose header row is cut, not UTF-8, not comma-separated names, or holds a NUL byte;
- that lacks a needed column, or has one of the columns above twice;
- that is UTF-16 or UTF-32, holds {nul_run} NUL bytes in a row, or a line of more than {line_limit} MB;
- whose compression is broken or cut, or expands to more than {expansion_limit} times its size (and more than {expansion_free} MB);
- that is no Parquet, or is damaged or encrypted, or has a column of a type that the table of kinds does not allow, or one named
  `file_row_number`;
- that does not agree with its `.sha256` or `.totals.json`;
- of a feed in the settings, that fills one of the feed's `required_columns` nowhere.

Neither changes the exit code: an extract of the landing folder that was refused before and has not changed since, which is listed, and a file
that changes while it is read, which is not ready, and is left and reported.

## What becomes of a row

{row_outcomes}

`rows_read = rows_kept + rows_not_relevant + rows_quarantined + rows_duplicate`, and so with the dollars paid. A run that does not balance
publishes nothing.

## What becomes of a claim line

{lines}

`line_status` in the report `lines` says what became of each claim line with a code of some family: live, or the first of the others that
applies.

{line_statuses}

## What lies in OUT

```
OUT/
  claims/BATCH.parquet       kept lines of one extract, with the columns above; never changed
  quarantine/BATCH.parquet   its refused rows, until the setting `retention_days` is over
  runs/RUN_ID/               one published run, never changed
{outputs}
    audit.duckdb             the same tables in one DuckDB file, with comments, views and macros; its view `dictionary` lists all
    handoff/                 what payment integrity gets that is new since the run before
    report.html              the run on a page, without small cells
    manifest.json            what went in and what came out, with SHA-256
  current                    the last complete run (a symbolic link)
  reviews/                   dispositions, suppressions, retractions and deliveries: each a file that never changes
  landing.json               what became of each extract of the landing folders
  journal.jsonl              when each run began and how it ended
  deletions.jsonl            which files were deleted when their time was over
  access/USER.UID.jsonl      what that user asked with `sij-audit sql`: two entries a query, before it ran and how it ended
```

A batch holds the lines whose codes were in some family when it was taken in. Where `sql/0_reference/procedure_codes.csv` gains a code, the next
run stops with exit code 4 and names the extracts to give again.

A file of `quarantine/` has these columns:

{quarantine}

## Reports

An empty cell (null) says that there is nothing to say. Text sorts by code point.

{reports}

## Views and macros

`audit.duckdb` also holds these; [queries.md](queries.md) has an example of each, and answers what auditors ask.

{auditor}

## manifest.json

{manifest}

`totals` holds:

{totals}

## Words in the findings

### Determinations

{determinations}

### Scopes

`scope` says what the earlier injections are to the one found. {scopes}

### Doubts

A doubt is what claims leave open. Any doubt of the finding itself makes a review of a violation; one that a rule merely notes is listed too.

{doubts}

## Read a finding, step by step

1. `determination`, `rule_id` and `policy_section` say what was found; [rules.md](rules.md) says what the rule looks for and what looks alike
   and is lawful. `rationale` says it in a sentence, with the first date that would have complied.
2. `claim_lines` are the cited lines: pull these claims. `person_id`, `service_date` and `site` say whose, when and where.
3. `prior_service_date`, `interval_days`, `prior_count` and `prior_claim_ids` are what it is measured against: pull these claims too. The
   report `timelines` has the person's injections along each side, the report `lines` every line with its line_status.
4. `doubts` say what is open, and the table above what would settle it. A violation has none that decides.
5. For a review, ask the provider for the records that rules.md names (also column `records` of the report `rules`).
6. `amount_at_risk` is what this finding adds, `paid_amount` what was paid for the cited lines. Where `is_upper_bound` is true, part of it may
   stand. `precedence_note`, where there is one, must be cleared before recovery. The report `payees` splits the amount by who was paid.
7. `status` and `first_reported` say whether it was there before. A withdrawn finding no longer holds, and is reported once.

A finding says what claims show. It is no verdict on a provider: records may answer it.

## The files for payment integrity

`findings.xlsx` and `findings.csv` hold the same findings; what each sheet and column means, and how to fill in the yellow columns, stands on
the sheet Read me. Filled in, either can be read back with `sij-audit import-dispositions`, and so can a Parquet file: it needs the columns
`finding_id` and `disposition` (upheld or overturned), and may have `recovered_amount`, `reviewer`, `note` and `run_id`. A row in which
disposition, recovered amount and note are empty is no review. CSV is read in UTF-8, between commas or semicolons; amounts have a decimal point.

What Excel cannot hold is never cut. Rows beyond {rows_per_sheet:,} go on in `Violations 2` and so on, what is too much for one file in
`findings_2.xlsx`, and a text of more than {characters_per_cell:,} characters stands in pieces on the sheet Long texts, where its cell says so.

CSV files, also those that `sij-audit sql` writes, are made for spreadsheets: UTF-8 with a byte-order mark, commas, CRLF, lists joined with
`; `. A text that a spreadsheet may take for a formula, one that begins with `= + - @`, a tab or a line end, also behind blanks and quotes, has
an apostrophe in front. To undo it, take one apostrophe away where what follows it begins so; all other texts are as they were. Excel still
guesses numbers in CSV and drops leading zeros; the workbook and the Parquet files are exact.

## How dollars at risk add up

Within a policy each claim line's dollars are at risk in one finding only, the highest in rank: violations before reviews, then the rules in
the order of rules.md. So `amount_at_risk` of `findings` sums to distinct dollars, and so do those of `payees` (to each finding, and in all), of
`rules` (without withdrawn findings, whose amount is 0) and of the `claim_lines`. `paid_amount` repeats a line in every finding that cites it.
Where several policies are audited, sum one `policy_id` at a time; the command's own total counts a line once.

## Exit codes

{exit_codes}

Quarantined rows are reported and do not change the exit code.
"""


def render_rules(policies: Sequence[Policy]) -> str:
    """Write docs/rules.md."""
    findings = {query.table: _prose(query) for query in load_stage("4_findings")}
    parts = [GENERATED, RULES_INTRO.format(**findings)]
    for policy in policies:
        parts += _policy_parts(policy)
    families = read_reference("procedure_families")
    codes = read_reference("procedure_codes")
    parts += [
        "## Families of procedures",
        "Codes of an inconclusive family also stand for anaesthesia or for what goes with a visit: alone they prove no second procedure.",
        table(
            ("family", "group", "what", "inconclusive"),
            [
                (f"`{family['family_id']}`", family["family_group"], family["description"], _yes(family["is_inconclusive"] == "true"))
                for family in families
            ],
        ),
        "## Procedure codes",
        "In words of our own; the code sets have the official ones. Dates are the first and the last on which a code is in its family.",
        table(
            ("code", "family", "what", "from", "to"),
            [
                (code["hcpcs_code"], f"`{code['family_id']}`", code["description"], code["effective_from"], code["effective_to"])
                for code in codes
            ],
        ),
        "## Modifiers",
        table(
            ("modifier", "read as", "what"),
            [(row["modifier"], row["role"].replace("_", " "), row["description"]) for row in read_reference("modifiers")],
        ),
    ]
    return _page(parts)


def _policy_parts(policy: Policy) -> list[str]:
    facts, values = policy.facts, policy_values(policy, {})
    comments = {name: text for file in policy.files if file.name == "policy.toml" for name, text in read_comments(file).items()}
    place = _place(policy.folder / "policy.toml")
    timeline = {query.table: query for query in load_stage("2_timeline")}
    return [
        f"## {policy.policy_id}: {facts.get('title', '')}".removesuffix(": "),
        _bullets(
            f"Revision applied: {facts['version']}.",
            f"Applies to services from {facts['effective_from']}; the policy's text is at hand from {facts['text_held_from']}: what is earlier "
            "is at most a review, where a rule does not say otherwise.",
            f"Does not apply to lines of business in group {_joined(facts['precedence_lines'])}: {facts['precedence_reason']}. A line in group "
            f"{_joined(facts['crossover_lines'])} goes with such a line of the same person, date and family.",
            f"Findings on lines in group {_joined(facts['noted_lines'])} carry the note: {facts['noted_reason']}.",
        ),
        f"What several rules go by stands in `{place}`:",
        table(
            ("name", "in force", "what"),
            [(f"`{name}`", _shown(value), comments.get(name, "")) for name, value in policy.params.items()],
        ),
        "### What the rules look at",
        _bullets(
            *(
                f"**{_filled(query, query.title, values)}.** {_filled(query, _prose(query), values)}"
                for query in map(timeline.get, TIMELINE)
                if query
            )
        ),
        f"### Rules of {policy.policy_id}, in the order in which they claim dollars",
        "A rule's id is a name that stays; what it goes by is its limits.",
        *(part for number, rule in enumerate(policy.rules, 1) for part in _rule_parts(policy, rule, number)),
    ]


def _rule_parts(policy: Policy, rule: Rule, number: int) -> list[str]:
    values = rule_values(policy, rule, {})
    on = "yes" if rule.enabled else f"no; `enabled = true` under `[rules.{rule.rule_id}]` in `policy.toml` turns it on"
    limits = [f"`{name}` = {_shown(value)} ({_source(policy, rule, name)})" for name, value in rule.params.items()]
    shared = [name for name in policy.params if f"${name}" in rule.query.sql and name not in rule.params]
    limits += [f"`{name}` = {_shown(policy.params[name])} (`{_place(policy.folder / 'policy.toml')}`)" for name in shared]
    return [
        f"#### {number}. {_filled(rule.query, rule.query.title, values)}",
        f"`{rule.rule_id}`, section {rule.section}. {_filled(rule.query, _prose(rule.query), values)}",
        f"> {rule.criterion}",
        _bullets(
            f"One finding per: {PER[rule.per]}",
            f"Cites lines of: {_families(rule.cites)}",
            f"Limits in force: {'; '.join(limits) or 'none'}",
            f"For services from: {rule.effective}; text at hand from: {rule.text_held_from}",
            f"On: {on}",
            f"Records to ask for: {rule.query.header.get('records', 'none')}",
        ),
    ]


def _source(policy: Policy, rule: Rule, name: str) -> str:
    """Say where a limit stands, the one place to change it."""
    default = rule.query.params[name]
    other = default.partition(".")[0]
    if other in {each.rule_id for each in policy.rules}:
        return f"the limit of `{other}`"
    if _shown(rule.params[name]) != default:
        return f"`[rules.{rule.rule_id}]` in `{_place(policy.folder / 'policy.toml')}`"
    return f"`{_place(rule.query.path)}`"


def _families(cited: str) -> str:
    """List the families whose lines a rule cites, with their codes."""
    families = [family for family in read_reference("procedure_families") if cited in (family["family_id"], family["family_group"])]
    codes = read_reference("procedure_codes")
    return "; ".join(
        f"{family['description']} ({', '.join(code['hcpcs_code'] for code in codes if code['family_id'] == family['family_id'])})"
        for family in families
    )


def render_data(policies: Sequence[Policy], types: Mapping[str, Mapping[str, str]]) -> str:
    """Write docs/data.md; `types` has the published type of every column of every report."""
    lines = {query.table: query for query in load_stage("1_lines")}
    timeline = {query.table: query for query in load_stage("2_timeline")}
    reports = {query.table: query for query in load_stage("5_reports")}
    text = DATA_INTRO.format(
        suffixes=_joined(f"`{suffix}`" for suffix in SUFFIXES),
        kinds=table(("kind", "as text", "in Parquet also"), [(kind, words, PARQUET_TYPES[kind]) for kind, (_, _, words) in KINDS.items()]),
        date_forms=", ".join(DATE_FORMS),
        columns=table(("column", "kind", "needed", "meaning", "normalised", "without it"), _column_rows()),
        lines_of_business=table(("group", "line_of_business"), _line_of_business_rows()),
        checked_dates=_joined(f"`{name}`" for name in CHECKED_DATES),
        unchecked=_joined(f"`{column.name}`" for column in COLUMNS if "cannot be read" in column.meaning),
        reasons=table(("reason", "what is wrong"), [(f"`{reason}`", what) for reason, what in QUARANTINE_REASONS.items()]),
        nul_run=len(NUL_RUN),
        line_limit=LINE_LIMIT >> 20,
        expansion_limit=EXPANSION_LIMIT,
        expansion_free=EXPANSION_FREE >> 20,
        row_outcomes=table(("outcome", "when"), [(name.replace("_", " "), what) for name, what in ROW_OUTCOMES.items()]),
        lines=_bullets(*(f"**{lines[name].title}.** {_prose(lines[name])}" for name in LINES)),
        line_statuses=table(("line_status", "when"), [(f"`{status}`", what) for status, what in LINE_STATUSES.items()]),
        outputs="\n".join(f"    {f'{name}.parquet':<24} {reports[name].title[0].lower()}{reports[name].title[1:]}" for name in reports),
        quarantine=table(("column", "meaning"), [(f"`{name}`", what) for name, what in QUARANTINE_COLUMNS.items()]),
        auditor=table(("name", "kind", "what"), _auditor_rows()),
        reports="\n\n".join(_report_part(query, types[name]) for name, query in reports.items()),
        manifest=table(("key", "what"), [(f"`{key}`", what) for key, what in MANIFEST_KEYS.items()]),
        totals=table(("key", "what it counts"), [(f"`{key}`", what) for key, what in TOTALS.items()]),
        determinations=_bullets(
            *(f"**{word}**{rest}" for word, rest in re.findall(r"(\w+)(: [^;]+)", reports["findings"].columns["determination"]))
        ),
        scopes=_prose(timeline["scopes"]),
        doubts=table(
            ("doubt", "what is open", "what settles it"),
            [(f"`{doubt['doubt_id']}`", doubt["description"], doubt["settled_by"]) for doubt in read_reference("doubts")],
        ),
        rows_per_sheet=Limits().rows_per_sheet,
        characters_per_cell=Limits().characters_per_cell,
        exit_codes=table(("code", "meaning"), [(str(code), meaning) for code, meaning in EXIT_CODES.items()]),
    )
    return _page([GENERATED, text])


def _column_rows() -> Iterable[tuple[str, ...]]:
    for column in COLUMNS:
        number = column.name.removeprefix("diagnosis_code_")
        if number == column.name:
            yield _column_row(column, column.name)
        elif number == "1":
            yield _column_row(column, f"{column.name}` to `{[each.name for each in COLUMNS if each.name.startswith('diagnosis_')][-1]}")


def _column_row(column: Column, name: str) -> tuple[str, ...]:
    needed = {"column and value": "column, and a value in every row", "column": "column; may be empty"}.get(column.needed, column.needed)
    without = "the file is refused" if column.needed.startswith("column") else column.without
    return (f"`{name}`{' +' if column.is_ours else ''}", column.kind, needed, column.meaning, column.case, without)


def _line_of_business_rows() -> Iterable[tuple[str, str]]:
    rows = read_reference("lines_of_business")
    for group in dict.fromkeys(row["line_group"] for row in rows):
        tests: dict[str, list[str]] = {}
        for row in rows:
            if row["line_group"] == group:
                tests.setdefault(row["match_kind"].replace("_", " "), []).append(f"`{row['line_of_business']}`")
        yield group, "; ".join(f"{kind} {', '.join(values)}" for kind, values in tests.items())
    yield "unknown", "anything else, or nothing"


def _auditor_rows() -> Iterable[tuple[str, str, str]]:
    for query in load_stage("auditor"):
        made = re.search(r"^create (view|macro) (\w+(?:\(.*?\))?)", query.sql, re.MULTILINE)
        if made is None:
            raise AuditError(f"{query.place}: makes no view and no macro")
        yield f"`{made[2]}`", made[1], query.title


def _report_part(query: Query, types: Mapping[str, str]) -> str:
    columns = table(("column", "type", "meaning"), [(f"`{name}`", _type_words(kind), query.columns[name]) for name, kind in types.items()])
    return f"### {query.table}\n\n{query.title}: {query.grain}.\n\n{columns}"


def _type_words(kind: str) -> str:
    if kind.endswith("[]"):
        return f"list of {_type_words(kind[:-2])}"
    if kind.startswith("STRUCT"):
        return f"({', '.join(re.findall(r'([a-z_]+) [A-Z]', kind))})"
    words = {
        "VARCHAR": "text",
        "DATE": "date",
        "BIGINT": "whole number",
        "INTEGER": "whole number",
        "BOOLEAN": "yes or no",
        "DOUBLE": "number",
    }
    return "US dollars" if kind.startswith("DECIMAL") else words[kind]


def report_types(policies: Sequence[Policy]) -> dict[str, dict[str, str]]:
    """Find the published type of every column of every report, by running the SQL over nothing."""
    with tempfile.TemporaryDirectory() as folder, open_warehouse(Path(folder)) as con:
        load_inputs(con, Inputs())
        run_stages(con, policies, dict.fromkeys(SETTING_NAMES))
        reports = [query.table for query in load_stage("5_reports")]
        described = {report: f"select column_name, column_type from (describe {select_report(con, report)})" for report in reports}
        return {report: dict(con.execute(select).fetchall()) for report, select in described.items()}


def read_comments(path: Path) -> dict[str, str]:
    """Read what the comment right above each name of a TOML file says."""
    comments = {}
    above: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        name = re.match(r"([a-z_]+) *=", line)
        if line.startswith("# "):
            above.append(line[2:])
            continue
        if name and above:
            comments[name[1]] = " ".join(above)
        above = []
    return comments


def _prose(query: Query) -> str:
    return query.prose.partition("\n\n")[0]


def _filled(query: Query, text: str, values: Mapping[str, object]) -> str:
    """Put limits in the place of their names (`$min_months`); AuditError names the file where there is no such limit."""

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise AuditError(f"{query.path.name}: its header names ${match[1]}, which is no limit")
        return _shown(values[match[1]])

    return re.sub(r"\$([a-z_]+)", value_of, text)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return _yes(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _place(path: Path) -> str:
    return path.relative_to(SQL.parent).as_posix() if path.is_relative_to(SQL) else f"{path.parent.name}/{path.name}"


def _yes(fact: bool) -> str:
    return "yes" if fact else ""


def _joined(words: object) -> str:
    return ", ".join(map(str, words)) if isinstance(words, Iterable) and not isinstance(words, str) else str(words)


def render_settings() -> str:
    """Render the page on settings, with an example that is valid."""
    return _page(
        [
            SETTINGS_INTRO.format(
                generated=GENERATED, prefix=PREFIX, file_variable=FILE_VARIABLE, default_file=DEFAULT_FILE, example=SETTINGS_EXAMPLE
            ),
            "## All settings\n\n" + table(("setting", "default", "meaning"), _setting_rows(Settings)),
            "## Feeds\n\nEach `[[feeds]]` describes extracts that come again and again:\n\n"
            + table(("key", "default", "meaning"), _setting_rows(Feed)),
            SETTINGS_MORE,
        ]
    )


def _setting_rows(model: type[BaseModel]) -> list[tuple[str, str, str]]:
    def default(field: FieldInfo) -> str:
        if field.is_required():
            return "must be given"
        value = written(field.default)
        return f"`{value}`" if value and value != "[]" else ""

    return [(f"`{name}`", default(field), field.description or "") for name, field in model.model_fields.items()]


def _bullets(*lines: str) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("|" + "|".join(f" {cell} ".replace("|", r"\|") if cell else " " for cell in line) + "|" for line in lines)


SHOWN = re.compile(r"^```(console|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
"""A block of commands with what they print, or a piece of Python with a block of what it prints after it."""


def retell(text: str, run: Callable[[Sequence[str]], str]) -> str:
    """Put what commands and Python print now in the place of what a text shows of them; `run` takes a command's words, in the order shown."""

    def retold(block: re.Match[str]) -> str:
        kind, body, _output = block.groups()
        if kind == "python":
            return f"```python\n{body}```\n\n```text\n{run(['python', '-c', body])}```\n"
        commands = [line for line in body.splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(f"{command}\n{run(shlex.split(command[2:]))}" for command in commands) + "```\n"

    return SHOWN.sub(retold, text)


ASKED = re.compile(r"^```sql\n(.*?)^```\n(?:\n```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)
"""A query, with a block of what it answers after it."""


def retell_queries(text: str, database: Path) -> str:
    """Put what a database answers now in the place of what a text shows."""
    with duckdb.connect(database, read_only=True) as con:
        return ASKED.sub(lambda block: f"```sql\n{block[1]}```\n\n```text\n{answer(con, block[1])}```\n", text)


def answer(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """Write what a query answers in columns, numbers to the right; an empty cell is null."""
    found = con.execute(query)
    names = [column[0] for column in found.description or []]
    rows = found.fetchall()
    columns = []
    for position, name in enumerate(names):
        values = [row[position] for row in rows]
        cells = [name, *map(_cell, values)]
        is_number = all(value is None or type(value) in (int, float, Decimal) for value in values)
        width = max(map(len, cells))
        columns.append([cell.rjust(width) if is_number else cell.ljust(width) for cell in cells])
    return "".join("  ".join(line).rstrip() + "\n" for line in zip(*columns, strict=True))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else _joined(value)


RUN_ID = re.compile(r"\b(\d{4}-\d\d-\d\d)-[0-9a-f]{12}\b")
"""A run's id hashes the program too: shown as it is, every change of a file would change the documents."""


def run_in(folder: Path) -> Callable[[Sequence[str]], str]:
    """Run commands in a folder that has the sample, as a reader of README.md would in a checkout."""
    (folder / "data").symlink_to(ROOT / "data")
    programs = Path(sys.executable).parent
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}

    def run(words: Sequence[str]) -> str:
        command = [str(programs / words[0]), *words[1:]]
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return "\n".join(RUN_ID.sub(r"\1-0123456789ab", line.rstrip()) for line in done.stdout.splitlines()) + "\n"

    return run


def render_documents() -> dict[str, str]:
    """Render every document anew, by its path in the checkout."""
    policies = load_policies(policy_folders())
    with tempfile.TemporaryDirectory() as folder:
        run = run_in(Path(folder))
        readme = retell((ROOT / "README.md").read_text(encoding="utf-8"), run)
        queries = retell((ROOT / "docs/queries.md").read_text(encoding="utf-8"), run)
        queries = retell_queries(queries, Path(folder) / "out/demo/current/audit.duckdb")
    data = render_data(policies, report_types(policies))
    return {
        "README.md": readme,
        "docs/rules.md": render_rules(policies),
        "docs/data.md": data,
        "docs/queries.md": queries,
        "docs/settings.md": render_settings(),
    }


def main() -> None:
    """Write the documents, or with `--check` say which are not as they should be and exit with 1."""
    parser = argparse.ArgumentParser(prog="python -m sij_audit.transforms.documents", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a document is out of date")
    check = parser.parse_args().check
    stale = []
    for name, text in render_documents().items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if stale:
        sys.stdout.write(f"{'Out of date, see make docs' if check else 'Written'}: {', '.join(stale)}\n")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
