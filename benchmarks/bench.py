"""Measure the audit against its peers on the same files: python benchmarks/bench.py [--lines-csv N] [--lines-parquet N] [--rounds N] [PART...].

Each contender is a process of its own, warm (the files are read once before), in turns; the median of the rounds counts, and only ratios of
one run are compared with the targets. The files lie in bench/ and are made where they are not there. pandas is no dependency of the project:
`.venv/bin/python -m pip install "pandas>=3"`.
"""

import argparse
import importlib.util
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
BENCH = HERE.parent / "bench"
AUDIT = Path(sys.executable).with_name("sij-audit")
AS_OF = "2024-06-30"
NIGHT_LINES = 100_000
MEMBER_LINES = 1_000_000
SHARES = (0.05, 0.0, 0.1)
"""Shares of claims adjusted; the first is the usual mix."""


@dataclass(frozen=True)
class Cost:
    """What one process took: seconds on the clock and of the processors, and the most memory that it or a child of it had, in MiB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Contender:
    """A command that is measured, and what is put in order before each time (not measured)."""

    name: str
    command: list[str]
    prepare: Callable[[], None] = lambda: None


def measure(contender: Contender) -> Cost:
    """Run a contender once; stop everything where it fails."""
    contender.prepare()
    log = BENCH / "log.txt"
    start = time.perf_counter()
    with log.open("wb") as out:
        actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, out.fileno(), 2)]
        child = os.posix_spawn(contender.command[0], contender.command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) not in {0, 3}:
        sys.exit(f"{' '.join(contender.command)}\n{log.read_text(errors='replace')[-3000:]}\n{contender.name} failed: {status}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def race(title: str, rounds: int, *contenders: Contender) -> dict[str, Cost]:
    """Run the contenders in turns, print what each took, and give the medians (of memory, the most)."""
    costs: dict[str, list[Cost]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            costs[contender.name].append(measure(contender))
    print(f"\n{title}\n  {'':34}{'seconds':>9}{'from':>8}{'to':>8}{'CPU s':>9}{'MiB':>8}")
    medians = {}
    for name, taken in costs.items():
        walls = [cost.wall for cost in taken]
        median = Cost(statistics.median(walls), statistics.median(cost.cpu for cost in taken), max(cost.memory for cost in taken))
        medians[name] = median
        print(f"  {name:34}{median.wall:9.2f}{min(walls):8.2f}{max(walls):8.2f}{median.cpu:9.2f}{median.memory:8.0f}", flush=True)
    return medians


def compare(what: str, value: float, *, at_most: float | None = None, at_least: float | None = None, aim: float | None = None) -> None:
    """Print a ratio next to its target."""
    is_met = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
    target = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}"
    aims = f", aim {aim:g}" if aim is not None else ""
    print(f"  {what:52}{value:8.2f}   {target}{aims}: {'met' if is_met else 'MISSED'}", flush=True)


def make_extract(
    name: str, lines: int, mix_of: int, first_claim: int = 0, *, patients: int = 0, relevant: float = 0.002, adjusted: float = 0.05
) -> Path:
    """Make an extract in bench/ unless it is there, and read it once; `mix_of` lines are what its persons are enough for."""
    file = BENCH / name
    if not file.exists():
        print(f"making {name}", flush=True)
        persons, patients = max(mix_of // 20, 1), patients or max(mix_of // 3_000, 1)
        numbers = [lines, first_claim, persons, patients, relevant, adjusted]
        command = [sys.executable, str(HERE / "extract.py"), str(file), *map(str, numbers)]
        if os.spawnv(os.P_WAIT, command[0], command):
            sys.exit(f"{name} could not be made")
    with file.open("rb") as content:
        while content.read(1 << 20):
            pass
    return file


def count_claims(lines: int, adjusted: float) -> int:
    """Say how many claims `write_benchmark` makes for so many lines: a file that goes on begins there."""
    return round(lines / (3 * (1 + adjusted)))


def audit(name: str, out: Path, *extracts: Path, base: Path | None = None) -> Contender:
    """Make a contender of the audit into an empty OUT, or into a copy of one that holds the runs before."""

    def prepare() -> None:
        shutil.rmtree(out, ignore_errors=True)
        if base:
            shutil.copytree(base, out, symlinks=True)

    return Contender(name, [str(AUDIT), "run", *map(str, extracts), "--out", str(out), "--as-of", AS_OF], prepare)


def peer(name: str, script: str, *arguments: str | Path) -> Contender:
    """Make a contender of a script in this folder."""
    return Contender(name, [sys.executable, str(HERE / script), *map(str, arguments)])


def peers(*extracts: Path) -> list[Contender]:
    """Make contenders of the analysts' scripts."""
    findings = BENCH / "findings.csv"
    return [
        peer("pandas, all columns", "peer_pandas.py", "all", findings, *extracts),
        peer("pandas, needed columns", "peer_pandas.py", "needed", findings, *extracts),
        peer("Polars, lazy and streaming", "peer_polars.py", findings, *extracts),
    ]


def compare_peers(costs: dict[str, Cost], slower_than_polars: float) -> None:
    """Print how the audit stands against the analysts' scripts."""
    for name in ("pandas, all columns", "pandas, needed columns"):
        compare(f"{name} / audit", costs[name].wall / costs["audit"].wall, at_least=5)
    compare("audit / Polars", costs["audit"].wall / costs["Polars, lazy and streaming"].wall, at_most=slower_than_polars)


def bench_csv(lines: int, rounds: int) -> None:
    """First reading of a CSV extract, at each share of claims adjusted."""
    for share in SHARES:
        extract = make_extract(f"lines-{lines}-adjusted-{share:g}.csv", lines, lines, adjusted=share)
        scripts = peers(extract) if share == SHARES[0] else []
        count = peer("DuckDB, count(*)", "peer_duckdb_count.py", extract)
        costs = race(
            f"First reading, CSV, {lines:,} lines, {share:.0%} adjusted", rounds, audit("audit", BENCH / "out", extract), count, *scripts
        )
        compare("audit / DuckDB's count", costs["audit"].wall / costs["DuckDB, count(*)"].wall, at_most=5, aim=2.5)
        if scripts:
            compare_peers(costs, 2)


def bench_csv_night(lines: int, rounds: int) -> None:
    """A night that adds to a CSV extract audited before."""
    share = SHARES[0]
    extract = make_extract(f"lines-{lines}-adjusted-{share:g}.csv", lines, lines)
    night = make_extract(f"night-after-{lines}.csv", NIGHT_LINES, lines, count_claims(lines, share))
    base = BENCH / "out-base"
    first = race(f"The run before the night, CSV, {lines:,} lines", 1, audit("audit", base, extract))["audit"]
    costs = race(
        f"A night of {NIGHT_LINES:,} lines more, CSV", rounds, audit("audit", BENCH / "out", night, base=base), *peers(extract, night)
    )
    compare("night / first run", costs["audit"].wall / first.wall, at_most=0.4, aim=0.1)
    compare_peers(costs, 1)


def bench_parquet(lines: int, rounds: int) -> None:
    """First reading of a Parquet extract, at each share of claims adjusted."""
    for share in SHARES:
        extract = make_extract(f"lines-{lines}-adjusted-{share:g}.parquet", lines, lines, adjusted=share)
        scan = peer("DuckDB, filtered scan", "peer_duckdb_scan.py", extract)
        costs = race(f"First reading, Parquet, {lines:,} lines, {share:.0%} adjusted", rounds, audit("audit", BENCH / "out", extract), scan)
        compare("audit / DuckDB's filtered scan", costs["audit"].wall / costs["DuckDB, filtered scan"].wall, at_most=8, aim=4)
        compare("audit's memory, GiB", costs["audit"].memory / 1024, at_most=2)


def bench_parquet_night(lines: int, rounds: int) -> None:
    """A night that adds to a Parquet extract audited before."""
    share = SHARES[0]
    extract = make_extract(f"lines-{lines}-adjusted-{share:g}.parquet", lines, lines)
    night = make_extract(f"night-after-{lines}.parquet", NIGHT_LINES, lines, count_claims(lines, share))
    base = BENCH / "out-base"
    costs = race(f"The run before the night, Parquet, {lines:,} lines", rounds, audit("first run", base, extract))
    nights = race(f"A night of {NIGHT_LINES:,} lines more, Parquet", rounds, audit("night", BENCH / "out", night, base=base))
    compare("night / first run", nights["night"].wall / costs["first run"].wall, at_most=0.4, aim=0.1)


def bench_member(_: int, rounds: int) -> None:
    """A member number with a million lines on it: three in ten of them of a family, many more than any dummy number has."""
    one = make_extract("one-member.csv", MEMBER_LINES, 1, patients=1, relevant=0.3)
    spread = make_extract("many-members.csv", MEMBER_LINES, MEMBER_LINES, patients=MEMBER_LINES // 20, relevant=0.3)
    costs = race(
        f"{MEMBER_LINES:,} lines of one member, or of many",
        rounds,
        audit("one member", BENCH / "out", one),
        audit("many members", BENCH / "out", spread),
    )
    compare("one member / many", costs["one member"].wall / costs["many members"].wall, at_most=2)


PARTS = {
    "csv": (bench_csv, "lines_csv"),
    "csv-night": (bench_csv_night, "lines_csv"),
    "parquet": (bench_parquet, "lines_parquet"),
    "parquet-night": (bench_parquet_night, "lines_parquet"),
    "member": (bench_member, "lines_csv"),
}


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description="Measure the audit against its peers.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all of them where none is named")
    parser.add_argument("--lines-csv", type=int, default=5_000_000)
    parser.add_argument("--lines-parquet", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    settings = parser.parse_args()
    if unknown := set(settings.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if importlib.util.find_spec("pandas") is None:
        sys.exit('pandas is not installed: .venv/bin/python -m pip install "pandas>=3"')
    BENCH.mkdir(exist_ok=True)
    print(f"{os.cpu_count()} processors, Python {sys.version.split()[0]}")
    for name in settings.parts or PARTS:
        bench, lines = PARTS[name]
        bench(getattr(settings, lines), settings.rounds)


if __name__ == "__main__":
    main()
