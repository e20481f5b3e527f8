"""The pages: which template each is made of, and which show what commands print."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2

from docs.generator.facts import (
    describe_everything,
    describe_extracts,
    describe_findings,
    describe_layouts,
    describe_night,
    describe_reports,
    describe_rules,
    describe_settings,
    report_types,
    show_value,
)
from docs.generator.outputs import ROOT, run_in, show_answers, show_outputs
from sij_audit.transforms.stages.policies import Policy, load_policies, policy_folders

TEMPLATES = ROOT / "docs/templates"


def render_documents() -> dict[str, str]:
    """Render every document anew, by its path in the checkout."""
    policies = load_policies(policy_folders())
    return {f"docs/{name}": text for name, text in render_pages(policies).items()} | _render_outputs()


def render_pages(policies: Sequence[Policy]) -> dict[str, str]:
    """Render the pages that have a template, by the template's name."""
    facts = {
        "extracts.md": describe_extracts(),
        "findings.md": describe_findings(),
        "layouts.md": describe_layouts(),
        "nightly.md": describe_night(),
        "reports.md": describe_reports(report_types(policies)),
        "rules.md": describe_rules(policies),
        "settings.md": describe_settings(),
    }
    return {name: render_page(name, facts.get(name, {})) for name in sorted(path.name for path in TEMPLATES.glob("*.md"))}


def render_page(name: str, facts: Mapping[str, object]) -> str:
    """Fill a template; a name in it that stands for nothing is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["value"] = show_value
    note = f"<!-- Made by `make docs` from docs/templates/{name}, headers, reference tables and code. Change those, not this. -->"
    return f"{note}\n\n{environment.get_template(name).render({**describe_everything(), **facts})}"


def _render_outputs() -> dict[str, str]:
    """Render the pages that show what commands, Python and queries print."""
    with tempfile.TemporaryDirectory() as folder:
        run = run_in(Path(folder))
        readme = show_outputs((ROOT / "README.md").read_text(encoding="utf-8"), run)
        queries = show_outputs((ROOT / "docs/queries.md").read_text(encoding="utf-8"), run)
        queries = show_answers(queries, Path(folder) / "out/demo/current/audit.duckdb")
    return {"README.md": readme, "docs/queries.md": queries}
