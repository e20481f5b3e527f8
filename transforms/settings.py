"""What whoever runs the audit decides: settings from a TOML file and the environment, never a number of a policy."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from sij_audit.transforms.errors import UsageError
from sij_audit.transforms.toml_lines import name_line

PREFIX = "SIJ_AUDIT_"

FILE_VARIABLE = f"{PREFIX}SETTINGS"
"""Names the TOML file; without it `sij-audit.toml` in the working folder is read, where it is there."""

DEFAULT_FILE = Path("sij-audit.toml")

UNITS = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}

MEMORY_LIMIT = "1400MB"
"""Of the database; what is beyond it spills into OUT's work folder."""

LEAST_MEMORY = 500 * 10**6
"""Bytes below which the audit of a year's claims was seen to fail."""

MASK = "********"

Kind = Literal["success", "attention", "hold", "failure"]
"""What people can be notified of: a run that needs nobody, one that was published and needs somebody, one on hold, one that failed."""


LineGroup = Literal["commercial", "medicaid", "medicare", "unknown"]
"""What the policy knows of a line of business."""

LINE_GROUPS: tuple[str, ...] = get_args(LineGroup)


ClaimStatus = Literal["paid", "denied", "reversed", "pending"]

BY_ADJUDICATION_DATE = "adjudication_date"

VERSIONING = re.compile(rf"{BY_ADJUDICATION_DATE}|version_suffix:[1-9]|sum|snapshot")
"""How the rows of a feed can be versions of a claim line; docs/extracts.md says which one a payer needs."""


class Feed(BaseModel):
    """Extracts that arrive regularly, recognized by their file names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="name of the feed in notices")
    pattern: str = Field(min_length=1, description="file names of this feed, such as `claims_*.csv.gz`")
    latest_age_hours: int | None = Field(
        default=None, ge=1, description="report the feed when no extract of it has arrived for so many hours"
    )
    required_columns: tuple[str, ...] = Field(
        default=(), description="refuse an extract of the feed that lacks one of these columns, or has no value in it at all"
    )

    max_quarantined: float | None = Field(default=None, ge=0, le=1, description="the setting max_quarantined for extracts of this feed")
    versioning: str = Field(
        default=BY_ADJUDICATION_DATE,
        description="how its rows are versions of a claim line: adjudication_date, version_suffix:2, sum or snapshot (docs/extracts.md)",
    )

    layout: Path | None = Field(default=None, description="the layout that its extracts are written by (docs/layouts.md)")

    @field_validator("pattern")
    @classmethod
    def _names_files(cls, pattern: str) -> str:
        if "/" in pattern:
            raise ValueError("it is a pattern of file names, so it can have no slash")
        return pattern

    @field_validator("versioning")
    @classmethod
    def _is_known(cls, versioning: str) -> str:
        if not VERSIONING.fullmatch(versioning):
            raise ValueError(
                "it must be adjudication_date, version_suffix: and a number of digits such as version_suffix:2, sum or snapshot"
            )
        return versioning

    @field_validator("required_columns")
    @classmethod
    def _has_known_columns(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        from sij_audit.transforms.columns import COLUMNS  # noqa: PLC0415  # a reader of the settings alone waits for no library of files

        known = {column.name for column in COLUMNS}
        if unknown := [column for column in columns if column not in known]:
            raise ValueError(f"{unknown[0]} is no column that the audit reads; docs/extracts.md lists them")
        return columns


class Settings(BaseSettings):
    """Settings by name; the environment (SIJ_AUDIT_ and the name in upper case) comes before the file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    out: Path | None = Field(default=None, description="the OUT folder of a command without --out")
    landing: Path | None = Field(default=None, description="folder whose ready extracts every nightly run loads; nothing in it is changed")
    policies: tuple[Path, ...] = Field(default=(), description="policy folders to audit by besides those of the program")
    line_of_business: str | None = Field(default=None, min_length=1, description="used where a claim line has none, such as commercial")
    lines_of_business: dict[str, LineGroup] = Field(
        default={}, description="the plan's own values of line_of_business, each with its group: commercial, medicaid, medicare or unknown"
    )
    claim_statuses: dict[str, ClaimStatus] = Field(
        default={}, description="the plan's own words of claim_status, each with what it means: paid, denied, reversed or pending"
    )
    time_zone: str = Field(default="UTC", description="time zone of the schedule, and of the as-of date where none is given")
    feeds: tuple[Feed, ...] = Field(default=(), description="extracts that are expected regularly")
    layouts: tuple[Path, ...] = Field(
        default=(), description="layouts that an extract of no feed with a layout may be of, recognized by its first rows (docs/layouts.md)"
    )
    max_quarantined: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="refuse an extract with a larger share of quarantined rows, where these are more than 10, or all; 1 refuses none",
    )
    quarantine_jump: float = Field(
        default=2,
        ge=1,
        description="report an extract whose share of quarantined rows is more than so many times the largest of the last five of its feed",
    )
    quarantine_jump_share: float = Field(
        default=0.001, ge=0, le=1, description="share of quarantined rows up to which no extract is reported for quarantine_jump"
    )
    max_change: float = Field(
        default=0.5,
        ge=0,
        description="a nightly run is put on hold when more than this share of the findings would be new, changed or withdrawn",
    )
    retention_days: int = Field(
        default=400, ge=1, description="days after which quarantined rows and the batches of retracted extracts are deleted"
    )
    wall_clock_minutes: float = Field(default=240, gt=0, description="minutes after which a run is ended, whatever it is doing")
    memory_limit: str = Field(
        default=MEMORY_LIMIT, description="memory of the database while it audits, in MB, GB, MiB or GiB; the rest goes to disk"
    )
    notify_on: tuple[Kind, ...] = Field(
        default=("attention", "hold", "failure"),
        description="results of a nightly run that notify people: success, attention (published, and somebody should look), hold, failure",
    )
    webhook_url: SecretStr | None = Field(default=None, description="address to which a nightly run posts JSON")
    email_from: str | None = Field(default=None, description="sender of e-mails")
    email_to: tuple[str, ...] = Field(default=(), description="who gets an e-mail of a nightly run")
    smtp_host: str | None = Field(default=None, description="server that sends e-mails")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="its port")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="starttls, tls (from the start, mostly port 465) or none"
    )
    smtp_user: str | None = Field(default=None, description="user to log in as, if the server needs one")
    smtp_password: SecretStr | None = Field(default=None, description="its password; better in the environment than in a file")
    group: str | None = Field(default=None, description="Unix group that may read published runs and add to the access log")
    query_seconds: int = Field(default=60, ge=1, description="how long a query of `sij-audit sql` may take")
    max_requests_per_provider: int = Field(
        default=20, ge=1, description="claims of one billing NPI for which records are requested within request_period_days"
    )
    request_period_days: int = Field(default=45, ge=1, description="days over which max_requests_per_provider counts")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then what the file gives through `load_settings`, then the defaults."""
        return env_settings, init_settings

    @field_validator("line_of_business", mode="before")
    @classmethod
    def _normalised(cls, value: Any) -> Any:
        return value.strip(" ").lower() if isinstance(value, str) else value

    @field_validator("lines_of_business")
    @classmethod
    def _has_each_value_once(cls, groups: dict[str, LineGroup]) -> dict[str, LineGroup]:
        by_value: dict[str, LineGroup] = {}
        for written_value, group in groups.items():
            value = re.sub(" +", " ", written_value.strip(" ").lower())
            if not value:
                raise error_of_key(written_value, "a value of line_of_business is empty; the setting line_of_business is for empty cells")
            if by_value.setdefault(value, group) != group:
                raise error_of_key(written_value, f"{value!r} has two groups, {by_value[value]} and {group}")
        return by_value

    @field_validator("claim_statuses")
    @classmethod
    def _has_each_word_once(cls, statuses: dict[str, ClaimStatus]) -> dict[str, ClaimStatus]:
        by_word: dict[str, ClaimStatus] = {}
        for written_word, status in statuses.items():
            word = written_word.strip(" ").lower()
            if by_word.setdefault(word, status) != status:
                raise error_of_key(written_word, f"{word!r} has two meanings, {by_word[word]} and {status}")
        return by_word

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError):
            raise ValueError("there is no such time zone; write it as in Europe/Berlin or America/Chicago") from None
        return name

    @field_validator("memory_limit")
    @classmethod
    def _is_enough(cls, limit: str) -> str:
        if bytes_of(limit) < LEAST_MEMORY:
            raise ValueError(f"the audit needs {LEAST_MEMORY // 10**6}MB at least")
        return limit

    @field_validator("webhook_url")
    @classmethod
    def _is_of_the_web(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not _is_address(url.get_secret_value()):
            raise ValueError("it must be an address that begins with http:// or https:// and a host, without blanks")
        return url

    @field_validator("email_from", "email_to")
    @classmethod
    def _are_addresses(cls, value: Any) -> Any:
        for address in (value,) if isinstance(value, str) else value or ():
            if not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", address):
                raise ValueError("it must be an address alone, such as audit@example.org")
        return value

    @field_validator("feeds")
    @classmethod
    def _are_told_apart(cls, feeds: tuple[Feed, ...]) -> tuple[Feed, ...]:
        if len({feed.name for feed in feeds}) < len(feeds):
            raise ValueError("two feeds have one name")
        return feeds

    @model_validator(mode="after")
    def _can_mail(self) -> "Settings":
        if self.email_to and not (self.smtp_host and self.email_from):
            raise ValueError("email_to needs smtp_host and email_from too")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("smtp_user and smtp_password need each other")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError("smtp_password would be sent in clear text with smtp_security none")
        return self

    def day(self, moment: datetime) -> date:
        """Give the day of a moment in `time_zone`."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    def today(self) -> date:
        """Give the day that it is now in `time_zone`."""
        return self.day(datetime.now(UTC))


PATHS = ("out", "landing", "policies", "layouts")
"""Settings whose relative paths in the file are meant from the file's folder."""


@dataclass(frozen=True)
class Origin:
    """A setting in force, written as a file would have it, secrets masked, and where it comes from."""

    name: str
    value: str
    source: str


def error_of_key(key: str, message: str) -> PydanticCustomError:
    """Say what is wrong with one key of a table; its line in the file is found by the key."""
    return PydanticCustomError("key_error", "{message}", {"message": message, "key": key})


def bytes_of(limit: str) -> int:
    """Read an amount of memory, such as 1400MB; ValueError where it is none."""
    found = re.fullmatch(rf"(\d{{1,9}}) ?({'|'.join(UNITS)})", limit)
    if found is None:
        raise ValueError(f"it must be a whole number and one of {', '.join(UNITS)}, such as 1400MB")
    return int(found[1]) * UNITS[found[2]]


def _is_address(text: str) -> bool:
    """Say whether a text can be posted to; what urllib says of one that cannot would quote it."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and re.fullmatch(r"[!-~]+", text) is not None
    except ValueError:
        return False


def variable_of(name: str) -> str:
    """Name the environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def settings_file() -> Path | None:
    """The file that settings are read from, None where there is none; UsageError where the one that is named is not there."""
    named = os.environ.get(FILE_VARIABLE)
    if not named:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    path = Path(named)
    if not path.is_file():
        raise UsageError(f"{FILE_VARIABLE} names {named}, which is no file.")
    return path


def load_settings() -> Settings:
    """Read the settings in force; UsageError names the file or the variable, and the key, that cannot be used."""
    path = settings_file()
    return _settle(path, _read_file(path) if path else {})


def explain_settings() -> tuple[Path | None, list[Origin]]:
    """The file that is read, None where there is none, and of each setting what it is and who says so."""
    path = settings_file()
    given = _read_file(path) if path else {}
    settings = _settle(path, given)
    variables = _variables()

    def source(name: str) -> str:
        return variables.get(name) or (str(path) if name in given else "default")

    return path, [Origin(name, written(getattr(settings, name)), source(name)) for name in Settings.model_fields]


def written(value: Any) -> str:
    """Write a value as TOML has it, a table in braces; a secret is masked, but for the host of an address."""
    match value:
        case None:
            return ""
        case SecretStr():
            url = urlsplit(value.get_secret_value())
            return f'"{url.scheme}://{url.hostname}/{MASK}"' if url.scheme in ("http", "https") and url.hostname else f'"{MASK}"'
        case tuple():
            return f"[{', '.join(map(written, value))}]"
        case BaseModel():
            given = {name: getattr(value, name) for name in type(value).model_fields if name in value.model_fields_set}
            return "{ " + ", ".join(f"{name} = {written(inner)}" for name, inner in given.items()) + " }"
        case dict():
            pairs = ", ".join(f"{json.dumps(name, ensure_ascii=False)} = {written(inner)}" for name, inner in value.items())
            return f"{{ {pairs} }}" if pairs else ""
        case bool() | int():
            return json.dumps(value)
        case float():
            return f"{value:g}"
        case _:
            return json.dumps(str(value), ensure_ascii=False)


def _variables() -> dict[str, str]:
    """The variables that the environment has, by setting; UsageError where one is of no setting."""
    known = {variable_of(name): name for name in Settings.model_fields}
    found = {}
    for variable, value in os.environ.items():
        if not variable.upper().startswith(PREFIX) or variable == FILE_VARIABLE:
            continue
        if variable not in known:
            raise UsageError(f"{variable} in the environment is no setting; known: {', '.join(sorted([*known, FILE_VARIABLE]))}.")
        if value:
            found[known[variable]] = variable
    return found


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as TOML: {error}.") from None
    feeds = values.get("feeds", [])
    for table, name in (*((values, name) for name in PATHS), *((feed, "layout") for feed in feeds if isinstance(feed, dict))):
        match table.get(name):
            case str(place):
                table[name] = path.parent / place
            case list(places):
                table[name] = [path.parent / place if isinstance(place, str) else place for place in places]
    return values


def _settle(path: Path | None, values: Mapping[str, Any]) -> Settings:
    """Check the file's values together with those of the environment."""
    variables = _variables()
    try:
        return Settings(**values)
    except SettingsError as error:
        named = re.search(r'field "(\w+)"', str(error))
        variable = variable_of(named[1]) if named else PREFIX
        raise UsageError(f'{variable} in the environment: cannot be read as JSON; write a list as in ["a", "b"].') from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise UsageError(_tell(first, path, variables)) from None


def _tell(error: ErrorDetails, path: Path | None, variables: Mapping[str, str]) -> str:
    location = error["loc"]
    name = ".".join(map(str, location))
    variable = variables.get(str(location[0])) if location else None
    place = f"{variable} in the environment: " if variable else f"{_place(path, error)}: " if path else ""
    if error["type"] == "extra_forbidden":
        known = Feed.model_fields if len(location) > 1 else Settings.model_fields
        return f"{place}{name} is no setting; known: {', '.join(sorted(known))}."
    said = error["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{place}{name}: {said}." if name else f"{place}{said}."


def _place(path: Path, error: ErrorDetails) -> str:
    """Name the file, and the line where one is to blame."""
    key = error.get("ctx", {}).get("key")
    return name_line(str(path), path.read_text(encoding="utf-8"), (*error["loc"], *([key] if key is not None else [])))
