"""A run: extracts and policies in, a published run out; and what it would be, or would find by other limits.

`run.py` says in which order the steps of `steps.py` come. Between steps an audit is a DuckDB connection with the tables of `sql/`; what a
run reports on its way is in `progress.py`, what it found in short in `summary.py`.
"""
