"""The sample audited by the installed command, once, and what people look at it with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.eye.browser import open_chromium
from tests.eye.office import Office, open_office
from tests.eye.sample import PAGES, Published, publish_large_sample, publish_sample


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    with open_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """One office for all tests."""
    return open_office(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """OUT after a run on the sample, with a member's page beside it."""
    return publish_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def large_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report page of a larger sample."""
    return publish_large_sample(tmp_path_factory.mktemp("large"))


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, published: Published, large_report: Path) -> Path:
    """Each kind of page in turn."""
    return {**published.pages, "large_report": large_report}[request.param]


@pytest.fixture(scope="session")
def saved(office: Office, published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook as LibreOffice saves it when nothing was typed."""
    return office.save_typed(published.workbook, tmp_path_factory.mktemp("saved") / "findings.xlsx")
