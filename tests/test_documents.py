"""The documents are made of headers and code, name all that there is, and follow a limit that changes."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import jinja2
import pytest

from docs.generator.facts import describe_rules, read_comments, report_types
from docs.generator.outputs import show_outputs
from docs.generator.pages import render_page, render_pages
from sij_audit.transforms.columns import COLUMNS, KINDS, LINE_STATUSES, QUARANTINE_REASONS, ROW_OUTCOMES
from sij_audit.transforms.errors import EXIT_CODES, AuditError
from sij_audit.transforms.ingest.batch_files import QUARANTINE_SCHEMA
from sij_audit.transforms.settings import Feed, Settings, load_settings
from sij_audit.transforms.stages.planning import RULE_COLUMNS, RULE_MEANINGS
from sij_audit.transforms.stages.policies import RULES, Policy, load_policies, load_policy, policy_folders
from sij_audit.transforms.stages.queries import SQL, load_stage
from sij_audit.transforms.store.folder import Store

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def policies() -> list[Policy]:
    return load_policies(policy_folders())


@pytest.fixture(scope="module")
def pages(policies: list[Policy]) -> dict[str, str]:
    return render_pages(policies)


def rules_page(*policies: Policy) -> str:
    return render_page("rules.md", describe_rules(policies))


def first_cells(text: str, heading: str) -> list[str]:
    """The first cells of the table under a heading."""
    section = re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    return [cell.strip("` ") for cell in re.findall(r"^\|([^|]+)\|", section, re.MULTILINE)][2:]


def test_every_page_with_a_template_is_up_to_date(pages: dict[str, str]) -> None:
    assert {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in pages} == pages, "make docs"


def test_a_template_that_names_what_is_not_there_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="policies"):
        render_page("rules.md", {})


def test_every_setting_is_explained_and_the_example_is_valid(
    pages: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = pages["settings.md"]
    assert first_cells(text, "All settings") == list(Settings.model_fields)
    assert first_cells(text, "Feeds") == list(Feed.model_fields)
    assert all(field.description for model in (Settings, Feed) for field in model.model_fields.values())
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "sij-audit.toml").write_text(example, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert len(load_settings().feeds) == 2


def test_every_column_of_every_report_is_explained(policies: list[Policy], pages: dict[str, str]) -> None:
    types = report_types(policies)
    reports = {query.table: list(query.columns) for query in load_stage("5_reports")}
    assert {name: list(columns) for name, columns in types.items()} == reports
    assert {name: first_cells(pages["reports.md"], name) for name in types} == reports


def test_every_column_of_an_extract_is_explained(pages: dict[str, str]) -> None:
    named = [name.removesuffix("` +") for name in first_cells(pages["extracts.md"], "Columns")]
    diagnoses = [name for name in named if name.startswith("diagnosis_code_")]
    assert diagnoses == ["diagnosis_code_1` to `diagnosis_code_25"]
    assert [name for name in named if name not in diagnoses] == [
        column.name for column in COLUMNS if not column.name.startswith("diagnosis_code_")
    ]


def test_every_kind_of_value_and_every_reason_of_a_refusal_is_explained(pages: dict[str, str]) -> None:
    assert first_cells(pages["extracts.md"], "Kinds of values") == list(KINDS)
    assert first_cells(pages["extracts.md"], "A row") == list(QUARANTINE_REASONS)


def test_every_outcome_of_a_row_is_explained_and_so_is_what_is_kept_of_a_refused_one(pages: dict[str, str]) -> None:
    outcomes = [name.replace("_", " ") for name in ROW_OUTCOMES]
    assert first_cells(pages["extracts.md"], "What becomes of a row") == [*outcomes, "column", "---", *QUARANTINE_SCHEMA.names]


def test_every_status_of_a_claim_line_is_explained_in_the_order_in_which_the_first_applies(pages: dict[str, str]) -> None:
    statuses = re.findall(r"(?:then|else) '(\w+)'", (SQL / "1_lines/11_line_statuses.sql").read_text(encoding="utf-8"))
    *others, live, recovered = statuses
    before, after = others[: others.index("replaced") + 1], others[others.index("replaced") + 1 :]
    assert [live, recovered, *before, "denied", "pending", *after] == list(LINE_STATUSES)
    assert first_cells(pages["findings.md"], "What becomes of a claim line") == list(LINE_STATUSES)


def test_every_exit_code_is_explained(pages: dict[str, str]) -> None:
    assert [int(code) for code in first_cells(pages["nightly.md"], "Exit codes")] == list(EXIT_CODES)


def test_the_manifest_is_explained(pages: dict[str, str], tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("sij-audit")
    subprocess.run([command, "run", "--out", tmp_path, "--as-of", "2024-06-30"], check=True, stdout=subprocess.DEVNULL)
    store = Store(tmp_path)
    run = store.current_run()
    assert run is not None
    manifest = store.manifest(run)
    assert list(manifest) == first_cells(pages["reports.md"], "manifest.json")
    assert sorted(manifest["totals"]) == sorted(first_cells(pages["reports.md"], "Totals"))


def test_every_error_has_an_exit_code_that_is_explained() -> None:
    def kinds(error: type[AuditError]) -> list[type[AuditError]]:
        return [error, *(kind for below in error.__subclasses__() for kind in kinds(below))]

    assert {kind.exit_code for kind in kinds(AuditError)} <= set(EXIT_CODES)
    shown = subprocess.run([Path(sys.executable).with_name("sij-audit"), "--help"], capture_output=True, text=True, check=True).stdout
    assert all(f"{code:<3} {meaning}" in shown for code, meaning in EXIT_CODES.items())


def test_every_rule_is_there_with_its_limits(policies: list[Policy]) -> None:
    text = rules_page(*policies)
    for policy in policies:
        for rule in policy.rules:
            assert f"`{rule.rule_id}`, section {rule.section}." in text
            for name in rule.params:
                assert f"`{name}` = " in text


def test_a_limit_that_changes_changes_its_rule_and_those_that_share_it(tmp_path: Path) -> None:
    folder = tmp_path / "cp_mp_166"
    shutil.copytree(RULES / "cp_mp_166", folder)
    before = rules_page(load_policy(folder))
    path = folder / "second_injection_under_two_weeks.sql"
    path.write_text(path.read_text(encoding="utf-8").replace("min_days = 14", "min_days = 21"), encoding="utf-8")
    after = rules_page(load_policy(folder))
    assert "`min_days` = 21 (the limit of `second_injection_under_two_weeks`)" in after
    assert "after 21 days" in after
    assert "14 days" not in after
    assert before.replace(" = 14 (", " = 21 (").replace("14 days", "21 days") == after


def test_no_number_of_a_limit_is_written_out_in_prose(policies: list[Policy]) -> None:
    """A word such as twelve would stay when the limit changes."""
    words = re.compile(r"\b(two|three|four|twelve|fourteen|fifth|\d+) (day|week|month|year|therapeutic|injection)", re.IGNORECASE)
    for policy in policies:
        for query in [rule.query for rule in policy.rules] + load_stage("2_timeline"):
            assert not words.findall(f"{query.title}. {query.prose}"), query.path.name


def test_a_header_that_names_no_limit_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "cp_mp_166"
    shutil.copytree(RULES / "cp_mp_166", folder)
    path = folder / "bilateral_injection.sql"
    path.write_text(path.read_text(encoding="utf-8").replace("-- An injection", "-- $nothing: an injection"), encoding="utf-8")
    with pytest.raises(AuditError, match=r"bilateral_injection\.sql: its header names \$nothing"):
        rules_page(load_policy(folder))


def test_every_limit_that_several_rules_use_is_explained(policies: list[Policy]) -> None:
    for policy in policies:
        comments = {name for file in policy.files if file.name == "policy.toml" for name in read_comments(file)}
        assert policy.params.keys() <= comments


def test_a_pages_commands_and_python_run_in_the_order_shown() -> None:
    text = "a\n```console\n$ one 'x y'\nold\n$ two\n```\nb\n\n```python\nprint()\n```\n\n```text\nold\n```\nc\n```sh\n$ not run\n```\n"
    ran: list[list[str]] = []

    def run(words: Iterable[str]) -> str:
        ran.append(list(words))
        return f"output {len(ran)}\n"

    new = show_outputs(text, run)
    assert ran == [["one", "x y"], ["two"], ["python", "-c", "print()\n"]]
    assert new == (
        "a\n```console\n$ one 'x y'\noutput 1\n$ two\noutput 2\n```\nb\n\n```python\nprint()\n```\n\n```text\noutput 3\n```\nc\n"
        "```sh\n$ not run\n```\n"
    )


def test_the_house_on_one_page_lists_each_package_and_no_other() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    packages = [f"transforms/{path.parent.name}" for path in (ROOT / "transforms").glob("*/__init__.py")]
    assert sorted(first_cells(page, "Packages")) == sorted(["flows/", *packages])


def test_the_house_on_one_page_explains_what_a_rule_yields() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    yielded = page.partition("## What a rule's SELECT yields")[2]
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", yielded, re.MULTILINE)) == RULE_MEANINGS
    assert list(RULE_MEANINGS) == list(RULE_COLUMNS)


def test_the_glossary_has_each_word_once_and_fields_that_an_extract_has() -> None:
    text = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    words = [word for word in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE) if word not in ("field", "word", "---")]
    assert len(words) == len(set(words)) > 80
    fields = [name.strip("` ") for cell in first_cells(text, "Fields of a claim") for name in re.split(r", | to ", cell)]
    assert set(fields) <= {column.name for column in COLUMNS}
