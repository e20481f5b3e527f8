"""Settings come from a TOML file and the environment; what is unknown is an error that names it."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sij_audit.transforms.audit.run import Request, run_audit
from sij_audit.transforms.audit.steps import Audit, AuditInputs, RunSteps
from sij_audit.transforms.duck import fetch_one
from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.settings import FILE_VARIABLE, MASK, Feed, Settings, explain_settings, load_settings, variable_of
from tests.runs import command, line, write_extract


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
        ("min_months = 3\n", "sij-audit.toml, line 1: min_months is no setting; known: claim_statuses, "),
        ("query_seconds = 0\n", "sij-audit.toml, line 1: query_seconds: Input should be greater than or equal to 1."),
        ("query_seconds =\n", "sij-audit.toml: cannot be read as TOML: "),
        ('time_zone = "Mars"\n', "sij-audit.toml, line 1: time_zone: there is no such time zone; "),
        ('time_zone = "../UTC"\n', "sij-audit.toml, line 1: time_zone: there is no such time zone; "),
        ('line_of_business = " "\n', "sij-audit.toml, line 1: line_of_business: String should have at least 1 character."),
        (
            'memory_limit = "80%"\n',
            "sij-audit.toml, line 1: memory_limit: it must be a whole number and one of MB, GB, MiB, GiB, such as 1400MB.",
        ),
        ('memory_limit = "1 MB"\n', "sij-audit.toml, line 1: memory_limit: the audit needs 500MB at least."),
        ("smtp_port = 70000\n", "sij-audit.toml, line 1: smtp_port: Input should be less than or equal to 65535."),
        ("max_change = -1\n", "sij-audit.toml, line 1: max_change: Input should be greater than or equal to 0."),
        ('notify_on = ["always"]\n', "sij-audit.toml, line 1: notify_on.0: Input should be 'success', 'attention', 'hold' or 'failure'."),
        (
            'webhook_url = "file:///etc/passwd"\n',
            "sij-audit.toml, line 1: webhook_url: it must be an address that begins with http:// or https:// and a host, ",
        ),
        ('email_to = ["a@b.org"]\n', "sij-audit.toml: email_to needs smtp_host and email_from too."),
        ('email_to = ["a@b.org, c@d.org"]\n', "sij-audit.toml, line 1: email_to: it must be an address alone, "),
        ('smtp_user = "u"\n', "sij-audit.toml: smtp_user and smtp_password need each other."),
        (
            'smtp_user = "u"\nsmtp_password = "p"\nsmtp_security = "none"\n',
            "sij-audit.toml: smtp_password would be sent in clear text with smtp_security none.",
        ),
        (
            '[lines_of_business]\nhmo = "private"\n',
            "sij-audit.toml, line 2: lines_of_business.hmo: Input should be 'commercial', 'medicaid', ",
        ),
        (
            '[lines_of_business]\nhmo = "commercial"\n" HMO" = "medicaid"\n',
            "sij-audit.toml, line 3: lines_of_business: 'hmo' has two groups, commercial and medicaid.",
        ),
        ('[lines_of_business]\n" " = "medicaid"\n', "sij-audit.toml, line 2: lines_of_business: a value of line_of_business is empty; "),
        (
            '[claim_statuses]\nDone = "paid"\ndone = "denied"\n',
            "sij-audit.toml, line 3: claim_statuses: 'done' has two meanings, paid and denied.",
        ),
        ('[[feeds]]\nname = "a"\n', "sij-audit.toml, line 1: feeds.0.pattern: Field required."),
        ('[[feeds]]\nname = "a"\npattern = "in/*.csv"\n', "sij-audit.toml, line 3: feeds.0.pattern: it is a pattern of file names, "),
        (
            '[[feeds]]\nname = "a"\npattern = "*"\nage = 3\n',
            "sij-audit.toml, line 4: feeds.0.age is no setting; known: latest_age_hours, layout, max_quarantined, name, pattern, ",
        ),
        (
            '[[feeds]]\nname = "a"\npattern = "*"\nrequired_columns = ["status"]\n',
            "sij-audit.toml, line 4: feeds.0.required_columns: status is no column that the audit reads; ",
        ),
        (
            '[[feeds]]\nname = "a"\npattern = "*"\nversioning = "version_suffix"\n',
            "sij-audit.toml, line 4: feeds.0.versioning: it must be adjudication_date, version_suffix: and a number of digits ",
        ),
        (
            '[[feeds]]\nname = "a"\npattern = "*"\n[[feeds]]\nname = "a"\npattern = "b*"\n',
            "sij-audit.toml, line 1: feeds: two feeds have one name.",
        ),
    ],
)
def test_an_error_names_the_file_the_line_and_the_key(text: str, told: str) -> None:
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


def test_paths_in_the_file_are_meant_from_its_folder_and_those_of_the_environment_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("etc").mkdir()
    Path("etc/own.toml").write_text('out = "out"\nlanding = "/landing"\npolicies = ["plan"]\n')
    monkeypatch.setenv(FILE_VARIABLE, "etc/own.toml")
    settings = load_settings()
    assert (settings.out, settings.landing, settings.policies) == (Path("etc/out"), Path("/landing"), (Path("etc/plan"),))
    monkeypatch.setenv("SIJ_AUDIT_OUT", "out")
    assert load_settings().out == Path("out")


def test_lists_and_feeds_can_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIJ_AUDIT_NOTIFY_ON", '["failure"]')
    monkeypatch.setenv("SIJ_AUDIT_FEEDS", json.dumps([{"name": "claims", "pattern": "c*.csv", "required_columns": ["claim_status"]}]))
    settings = load_settings()
    assert settings.notify_on == ("failure",)
    assert settings.feeds == (Feed(name="claims", pattern="c*.csv", required_columns=("claim_status",)),)
    monkeypatch.setenv("SIJ_AUDIT_FEEDS", "c*.csv")
    with pytest.raises(UsageError, match=r"^SIJ_AUDIT_FEEDS in the environment: cannot be read as JSON; "):
        load_settings()


def test_an_error_names_the_variable_that_it_comes_from_and_never_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sij-audit.toml").write_text("query_seconds = 5\n")
    monkeypatch.setenv("SIJ_AUDIT_QUERY_SECONDS", "soon")
    with pytest.raises(UsageError, match=r"^SIJ_AUDIT_QUERY_SECONDS in the environment: query_seconds: Input should be a valid integer"):
        load_settings()
    monkeypatch.delenv("SIJ_AUDIT_QUERY_SECONDS")
    for url in ("hooks.example.org/KEY", "https://u:p@hooks.example.org:KEY/", "https://[KEY", "https://hooks.example.org/KEY KEY"):
        monkeypatch.setenv("SIJ_AUDIT_WEBHOOK_URL", url)
        with pytest.raises(UsageError) as error:
            load_settings()
        assert "SIJ_AUDIT_WEBHOOK_URL" in str(error.value)
        assert "KEY" not in str(error.value)


def test_an_empty_variable_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sij-audit.toml").write_text('group = "auditors"\n')
    monkeypatch.setenv("SIJ_AUDIT_GROUP", "")
    monkeypatch.setenv("SIJ_AUDIT_FEEDS", "")
    assert load_settings().group == "auditors"


def test_days_are_those_of_the_time_zone() -> None:
    evening = datetime(2024, 6, 30, 23, 30, tzinfo=UTC)
    assert Settings().day(evening) == date(2024, 6, 30)
    assert Settings(time_zone="Asia/Tokyo").day(evening) == date(2024, 7, 1)
    assert Settings(time_zone="America/Chicago").day(datetime(2024, 7, 1, 4, 30, tzinfo=UTC)) == date(2024, 6, 30)


def test_each_setting_is_explained_by_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sij-audit.toml").write_text('query_seconds = 5\ngroup = "auditors"\n')
    monkeypatch.setenv("SIJ_AUDIT_GROUP", "readers")
    path, origins = explain_settings()
    assert path == Path("sij-audit.toml")
    assert [origin.name for origin in origins] == list(Settings.model_fields)
    told = {origin.name: (origin.value, origin.source) for origin in origins}
    assert told["query_seconds"] == ("5", "sij-audit.toml")
    assert told["group"] == ('"readers"', "SIJ_AUDIT_GROUP")
    assert told["time_zone"] == ('"UTC"', "default")


def test_what_is_explained_masks_secrets_and_can_be_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        'webhook_url = "https://user:KEY@hooks.example.org/KEY?token=KEY"\nemail_from = "a@b.org"\nemail_to = ["c@d.org"]\n'
        'smtp_host = "mail"\nsmtp_user = "u"\nsmtp_password = "KEY"\npolicies = ["plän \\"x\\""]\nout = "o"\n'
        '[lines_of_business]\n"dual \\"d\\"" = "medicare"\n"hmo ä" = "commercial"\n'
        '[[feeds]]\nname = "claims"\npattern = "*.csv"\nrequired_columns = ["claim_status"]\n'
    )
    Path("sij-audit.toml").write_text(text, encoding="utf-8")
    before = load_settings()
    _, origins = explain_settings()
    shown = "".join(f"{origin.name} = {origin.value}\n" for origin in origins if origin.value)
    assert "KEY" not in shown + repr(before)
    assert f'"https://hooks.example.org/{MASK}"' in shown
    Path("sij-audit.toml").write_text(shown, encoding="utf-8")
    masked = {"webhook_url", "smtp_password"}
    assert load_settings().model_dump(exclude=masked) == before.model_dump(exclude=masked)


def test_every_setting_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        **{name: str(value) for name, value in Settings().model_dump().items() if isinstance(value, int | float | str)},
        "out": "o",
        "landing": "l",
        "policies": '["p"]',
        "layouts": '["a.toml"]',
        "feeds": "[]",
        "notify_on": "[]",
        "line_of_business": "Medicare",
        "lines_of_business": '{" HMO  Plus": "commercial"}',
        "claim_statuses": '{"Done": "paid"}',
        "group": "g",
        "webhook_url": "http://h/",
        "email_from": "a@b",
        "email_to": '["c@d"]',
        "smtp_host": "h",
        "smtp_user": "u",
        "smtp_password": "p",
    }
    assert values.keys() == Settings.model_fields.keys()
    for name, value in values.items():
        monkeypatch.setenv(variable_of(name), value)
    settings = load_settings()
    assert settings.line_of_business == "medicare"
    assert settings.lines_of_business == {"hmo plus": "commercial"}
    assert settings.claim_statuses == {"done": "paid"}
    assert {origin.source for origin in explain_settings()[1]} == {variable_of(name) for name in Settings.model_fields}


# --- the command


def test_lines_of_business_that_contradict_each_other_stop_the_command_before_it_reads_claims(tmp_path: Path) -> None:
    (tmp_path / "sij-audit.toml").write_text('[lines_of_business]\nhmo = "commercial"\nHMO = "medicaid"\n')
    done = command("run", write_extract(tmp_path / "x.parquet", [line("A", "2023-01-10")]), "--out", tmp_path / "out", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "sij-audit: sij-audit.toml, line 3: lines_of_business: 'hmo' has two groups, commercial and medicaid.\n"
    assert not (tmp_path / "out").exists()


def test_the_command_shows_what_is_in_force(tmp_path: Path) -> None:
    (tmp_path / "sij-audit.toml").write_text('smtp_host = "mail"\nsmtp_user = "u"\nsmtp_password = "KEY"\n')
    done = command("config", cwd=tmp_path, SIJ_AUDIT_TIME_ZONE="Europe/Berlin")
    assert (done.returncode, done.stderr) == (0, "")
    shown = [line.split() for line in done.stdout.splitlines()]
    assert shown[0] == ["Settings", "file:", "sij-audit.toml"]
    assert ["time_zone", '"Europe/Berlin"', "SIJ_AUDIT_TIME_ZONE"] in shown
    assert ["smtp_password", f'"{MASK}"', "sij-audit.toml"] in shown
    assert ["max_change", "0.5", "default"] in shown
    (tmp_path / "sij-audit.toml").write_text("min_months = 3\n")
    done = command("config", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("sij-audit: sij-audit.toml, line 1: min_months is no setting; ")


def test_commands_take_from_the_settings_what_they_are_not_given(tmp_path: Path) -> None:
    write_extract(tmp_path / "claims.parquet", [line("C1", "2024-01-02") | {"line_of_business": None}])
    (tmp_path / "sij-audit.toml").write_text('out = "own"\nline_of_business = " Medicare "\ntime_zone = "Pacific/Kiritimati"\n')
    there = Settings(time_zone="Pacific/Kiritimati")
    days = {there.today().isoformat()}
    assert command("run", "claims.parquet", cwd=tmp_path).returncode == 0
    days.add(there.today().isoformat())
    manifest = json.loads((tmp_path / "own/current/manifest.json").read_bytes())
    assert manifest["settings"]["line_of_business"] == "medicare"
    assert manifest["as_of"] in days
    given = ("run", "--out", "other", "--line-of-business", "commercial", "--as-of", "2024-06-30")
    assert command(*given, "claims.parquet", cwd=tmp_path).returncode == 0
    manifest = json.loads((tmp_path / "other/current/manifest.json").read_bytes())
    assert (manifest["settings"]["line_of_business"], manifest["as_of"]) == ("commercial", "2024-06-30")
    assert command("runs", cwd=tmp_path).returncode == 0


def test_a_run_keeps_to_the_memory_limit(tmp_path: Path) -> None:
    extract = write_extract(tmp_path / "claims.parquet", [line("C1", "2024-01-02")])
    limits = []

    class Watched(RunSteps):
        def lines(self, inputs: AuditInputs) -> Audit:
            audit = super().lines(inputs)
            limits.append(fetch_one(audit.con, "select current_setting('memory_limit')"))
            return audit

    run_audit(Request(out=tmp_path / "out", extracts=(extract,), settings=Settings(memory_limit="2GB")), steps=Watched())
    assert limits == ["1.8 GiB"]
