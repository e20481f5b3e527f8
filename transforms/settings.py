"""What whoever runs the audit decides: settings from a TOML file and the environment, never a number of a policy."""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from transforms.errors import UsageError

PREFIX = "SIJ_AUDIT_"

FILE_VARIABLE = f"{PREFIX}SETTINGS"
"""Names the TOML file; without it `sij-audit.toml` in the working folder is read, where it is there."""

DEFAULT_FILE = Path("sij-audit.toml")


class Settings(BaseSettings):
    """Settings by name; the environment (SIJ_AUDIT_ and the name in upper case) comes before the file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    group: str | None = Field(default=None, description="Unix group that may read published runs and add to the access log")
    query_seconds: int = Field(default=60, ge=1, description="how long a query of `sij-audit sql` may take")
    max_requests_per_provider: int = Field(
        default=20, ge=1, description="claims of one billing NPI for which records are requested within request_period_days"
    )
    request_period_days: int = Field(default=45, ge=1, description="days in which max_requests_per_provider holds")

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


def settings_file() -> Path | None:
    """The file that settings are read from, None where there is none; UsageError where the one that is named is not there."""
    named = os.environ.get(FILE_VARIABLE)
    if named is None:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    path = Path(named)
    if not path.is_file():
        raise UsageError(f"{FILE_VARIABLE} names {named}, which is no file.")
    return path


def load_settings() -> Settings:
    """Read the settings in force; UsageError names the file or the variable, and the key, that cannot be used."""
    path = settings_file()
    place = f"{path}: " if path else ""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {FILE_VARIABLE}
    if unknown := sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        raise UsageError(f"{unknown[0]} in the environment is no setting; known: {', '.join(sorted(known))}.")
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path else {}
        return Settings(**values)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{place}cannot be read as TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise UsageError(f"{place}{name} is no setting; known: {', '.join(sorted(Settings.model_fields))}.") from None
        raise UsageError(f"{place}{name}: {first['msg']}.") from None
