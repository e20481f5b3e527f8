"""`python -m docs.generator` writes the documents; with `--check` it writes nothing and lists those that are out of date."""

import argparse
import sys

from docs.generator.outputs import ROOT
from docs.generator.pages import render_documents


def main() -> None:
    """Write the documents, or with `--check` list those that are out of date and exit with 1 where there are any."""
    parser = argparse.ArgumentParser(prog="python -m docs.generator", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a document is out of date")
    is_check = parser.parse_args().check
    stale = []
    for name, text in render_documents().items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not is_check:
                path.write_text(text, encoding="utf-8")
    if stale:
        sys.stdout.write(f"{'Out of date, run make docs' if is_check else 'Written'}: {', '.join(stale)}\n")
    sys.exit(1 if is_check and stale else 0)


if __name__ == "__main__":
    main()
