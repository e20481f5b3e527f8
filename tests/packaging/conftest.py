"""What tests of the packaging share: the wheel, installed once."""

from pathlib import Path

import pytest

from tests.packaging.installed import Installed, build_wheel, install_wheel, lend_packages, make_foreign_folder
from tests.runs import ROOT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the checkout."""
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def from_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The program as the wheel installs it."""
    folder = tmp_path_factory.mktemp("installed")
    python = install_wheel(wheel, folder / "environment")
    lend_packages(python)
    return Installed(python, make_foreign_folder(folder / "work"))
