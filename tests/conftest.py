"""What tests of several files share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.prefect_house import House, open_house
from tests.runs import EARLY, SAMPLE, run, write_extract

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
def early_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `early.parquet`, the extract of `EARLY`, and `out`, OUT after a first run over it; not to be changed."""
    folder = tmp_path_factory.mktemp("early")
    run(folder / "out", write_extract(folder / "early.parquet", EARLY))
    return folder


@pytest.fixture
def early(early_run: Path, tmp_path: Path) -> Path:
    """OUT after a first run over `EARLY`, to do with as one likes; the extract lies beside it."""
    shutil.copytree(early_run, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path / "out"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first Prefect server leaves its new database for those of all workers."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "prefect.db"


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[House]:
    """One Prefect server for all tests of one process; those that use it are in one xdist group."""
    with open_house(tmp_path_factory.mktemp("house"), migrated) as house:
        yield house
