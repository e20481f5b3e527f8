"""Find, in a health plan's claims, sacroiliac joint procedures that were not billed within clinical policy CP.MP.166.

What a script may count on stands in `__all__`; each name is imported when it is first asked for, so that `import sij_audit` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sij_audit.transforms.audit.run import Request, Result, run_audit
    from sij_audit.transforms.errors import AuditError
    from sij_audit.transforms.query.session import open_run

    __version__: str

__all__ = ["AuditError", "Request", "Result", "__version__", "open_run", "run_audit"]

_MODULES = {
    "AuditError": "sij_audit.transforms.errors",
    "Request": "sij_audit.transforms.audit.run",
    "Result": "sij_audit.transforms.audit.run",
    "open_run": "sij_audit.transforms.query.session",
    "run_audit": "sij_audit.transforms.audit.run",
}

if not TYPE_CHECKING:  # a type checker would take any name for one of these

    def __getattr__(name):
        if name == "__version__":
            return import_module("importlib.metadata").version("sij-audit")
        if name in _MODULES:
            return getattr(import_module(_MODULES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
