"""`sql/` from Python: reference tables, headers of queries, policies with their limits, and running the stages on a DuckDB connection."""
