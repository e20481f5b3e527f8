"""What it takes DuckDB to read a CSV extract at all: python benchmarks/peer_duckdb_count.py EXTRACT."""

import sys

import duckdb

print(duckdb.execute("select count(*) from read_csv($file, all_varchar = true)", {"file": sys.argv[1]}).fetchone())
