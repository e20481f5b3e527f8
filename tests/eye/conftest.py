"""What all of these tests look with."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.eye.browser import open_chromium


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    with open_chromium() as browser:
        yield browser
