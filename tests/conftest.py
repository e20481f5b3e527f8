"""What tests of several files share."""

from collections.abc import Iterator

import pytest

from tests.prefect_house import House, open_house


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One Prefect server for all tests of one process; those that use it are in one xdist group."""
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house
