"""Layouts: files of a payer's own, read as a part with the canonical columns.

What enters is a layout, a TOML file that says how an extract is written and what of it each canonical column is (`layout`), and the part that
its text or Parquet is, none of whose columns is known (`mapped_part`). What leaves is a part like any other: positions, row numbers and refused
rows are those of the source, and each row is checked as all others are. Which layout an extract is read by, its settings say or its content
(`choice`); a new one is proposed from an extract's names and values (`proposal`).

Polars cleans the cells of a row and reads their forms (`forms`), DuckDB evaluates what a layout says in SQL, in a database of its own that
reaches nothing else (`expressions`).
"""
