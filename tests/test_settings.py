"""Settings come from a TOML file and the environment; what is unknown is an error that names it."""

from pathlib import Path

import pytest

from transforms.errors import UsageError
from transforms.settings import FILE_VARIABLE, Settings, load_settings


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_file_the_defaults_hold() -> None:
    assert load_settings() == Settings()
    assert load_settings().group is None


def test_the_file_in_the_working_folder_is_read() -> None:
    Path("sij-audit.toml").write_text('group = "auditors"\nquery_seconds = 5\n')
    assert (load_settings().group, load_settings().query_seconds) == ("auditors", 5)


def test_the_environment_comes_before_the_file_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sij-audit.toml").write_text("unknown = 1\n")
    Path("other.toml").write_text("query_seconds = 5\nrequest_period_days = 30\n")
    monkeypatch.setenv(FILE_VARIABLE, "other.toml")
    monkeypatch.setenv("SIJ_AUDIT_QUERY_SECONDS", "7")
    assert (load_settings().query_seconds, load_settings().request_period_days) == (7, 30)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("min_months = 3\n", "sij-audit.toml: min_months is no setting; known: group, "),
        ("query_seconds = 0\n", "sij-audit.toml: query_seconds: Input should be greater than or equal to 1."),
        ("query_seconds =\n", "sij-audit.toml: cannot be read as TOML: "),
    ],
)
def test_an_error_names_the_file_and_the_key(text: str, told: str) -> None:
    Path("sij-audit.toml").write_text(text)
    with pytest.raises(UsageError) as error:
        load_settings()
    assert str(error.value).startswith(told)


def test_an_unknown_variable_and_a_missing_file_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIJ_AUDIT_GRUOP", "x")
    with pytest.raises(UsageError, match=r"SIJ_AUDIT_GRUOP in the environment is no setting"):
        load_settings()
    monkeypatch.delenv("SIJ_AUDIT_GRUOP")
    monkeypatch.setenv(FILE_VARIABLE, "none.toml")
    with pytest.raises(UsageError, match=r"names none\.toml, which is no file"):
        load_settings()
