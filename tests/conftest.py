"""What tests of several files share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.prefect_house import House, open_house
from tests.runs import SAMPLE, run

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
settings.load_profile("any machine")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file on one worker, which then makes what they share once; the chains that wait for schedules begin first."""
    chains = []
    for item in items:
        group = item.get_closest_marker("xdist_group")
        if group is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
        elif group.args[0] in ("prefect", "kills"):
            chains.append(item)
    others = [item for item in items if item not in chains]
    items[:] = chains + others


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUT with the sample in it, made while files would be open to everybody; not to be changed."""
    out = tmp_path_factory.mktemp("sample") / "out"
    umask = os.umask(0)
    try:
        run(out, SAMPLE)
    finally:
        os.umask(umask)
    return out


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One Prefect server for all tests of one process; those that use it are in one xdist group."""
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house
