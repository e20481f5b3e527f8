"""A change of the program is a change: whatever is mended in it, the next run goes by; and nothing else is one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sij_audit.transforms import program
from sij_audit.transforms.program import hash_files
from tests.runs import command_of, copy_program, line, write_extract


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {"a.py": "a", "sub/b.sql": "b", "sub/c.html": "c", "__pycache__/a.pyc": "x", ".swap": "x"}.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "tree"


CHANGES: dict[str, Callable[[Path], object]] = {
    "code": lambda tree: (tree / "a.py").write_text("b"),
    "SQL": lambda tree: (tree / "sub/b.sql").write_text("b "),
    "a template": lambda tree: (tree / "sub/c.html").write_text(""),
    "a file that is new": lambda tree: (tree / "d.csv").write_text(""),
    "a file that is gone": lambda tree: (tree / "sub/c.html").unlink(),
    "a file of another name": lambda tree: (tree / "a.py").rename(tree / "d.py"),
    "a byte that moved to the next file": lambda tree: ((tree / "sub/b.sql").write_text(""), (tree / "sub/c.html").write_text("bc")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_each_change_of_a_file_is_a_change(tree: Path, change: Callable[[Path], object]) -> None:
    before = hash_files([tree])
    change(tree)
    assert hash_files([tree]) != before


def test_what_python_and_editors_leave_is_none(tree: Path) -> None:
    before = hash_files([tree])
    (tree / "__pycache__/a.pyc").write_text("y")
    (tree / "sub/.b.sql.swp").write_text("y")
    (tree / "a.py").touch()
    assert hash_files([tree]) == before


def test_where_the_program_lies_is_no_part_of_it(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "tree").symlink_to(tree)
    assert hash_files([tmp_path / "elsewhere" / "tree"]) == hash_files([tree])


def test_a_copy_has_the_hash_of_the_program(tmp_path: Path) -> None:
    assert hash_files([copy_program(tmp_path) / "sij_audit"]) == program.program_hash()


def test_the_hash_of_ingest_is_that_of_a_part(tmp_path: Path) -> None:
    names = {path.name for path in program.INGEST}
    assert {"ingest", "columns.py"} <= names
    assert all(path.exists() for path in program.INGEST)
    assert program.ingest_hash() != program.program_hash()


def test_what_is_mended_the_next_run_goes_by(tmp_path: Path) -> None:
    """An ingest, a page, a query, a table: each makes another run; only another ingest reads extracts again."""
    copy, out = copy_program(tmp_path / "program"), tmp_path / "out"
    extract = write_extract(tmp_path / "x.parquet", [line("A", "2023-01-10"), line("B", "2023-01-30")])

    def night() -> tuple[str, list[str]]:
        done = command_of(copy, "run", extract, "--out", out, "--as-of", "2024-06-30")
        assert done.returncode == 0, done.stderr
        return (out / "current").readlink().name, [path.name for path in (out / "claims").iterdir()]

    run, batches = night()
    assert night() == (run, batches), "nothing is new"
    (copy / "sij_audit/transforms/.notes").write_text("none of the program")
    assert night() == (run, batches)
    for place in ("transforms/pages/templates/report.html", "sql/7_page/04_status_cells.sql", "flows/display.py"):
        with (copy / "sij_audit" / place).open("a", encoding="utf-8") as file:
            file.write("\n")
        later = night()
        assert later[0] != run, place
        assert later[1] == batches, place
        run = later[0]
    with (copy / "sij_audit/transforms/ingest/__init__.py").open("a", encoding="utf-8") as file:
        file.write("# mended\n")
    later = night()
    assert later[0] != run
    assert len(later[1]) == 1
    assert later[1] != batches
    assert night() == later
