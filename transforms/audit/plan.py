"""A whole run that leaves OUT as it was: what would be published, were it run now."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sij_audit.transforms.audit.progress import Reporter, report_nothing
from sij_audit.transforms.audit.run import Request, Result, run_audit
from sij_audit.transforms.ingest.landing import MEMORY
from sij_audit.transforms.store.durable import switch_link
from sij_audit.transforms.store.folder import Store


@contextmanager
def plan_audit(request: Request, report: Reporter = report_nothing) -> Iterator[Result]:
    """Run on a copy of OUT that is gone afterwards; the planned run can be read inside. Raises what the run itself would raise.

    OUT is held meanwhile, so that what is planned is what a run would do next. Batches are linked, not copied: they never change.
    """
    if not request.out.exists():
        with TemporaryDirectory(prefix="sij-audit-plan-") as folder:
            yield run_audit(replace(request, out=Path(folder) / "out"), report)
        return
    store = Store(request.out)
    with store.lock():
        copy = Store(store.work / f"plan-{secrets.token_hex(8)}")
        try:
            _copy_out(store, copy)
            yield run_audit(replace(request, out=copy.root, settings=request.settings.model_copy(update={"group": None})), report)
        finally:
            shutil.rmtree(copy.root, ignore_errors=True)


def _copy_out(store: Store, copy: Store) -> None:
    copy.prepare()
    for name in ("claims", "quarantine", "reviews"):
        if (store.root / name).is_dir():
            shutil.copytree(store.root / name, copy.root / name, copy_function=os.link, dirs_exist_ok=True)
    if (store.root / MEMORY).is_file():
        shutil.copy(store.root / MEMORY, copy.root / MEMORY)
    current = store.current_run()
    if current is not None:
        shutil.copytree(current, copy.runs / current.name)
        switch_link(copy.current, f"runs/{current.name}")
