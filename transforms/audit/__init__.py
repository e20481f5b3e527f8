"""A run: extracts and policies in, a published run out; and what compares, plans and lists runs."""
