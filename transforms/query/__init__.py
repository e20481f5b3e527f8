"""A published run opened for reading, locked, and the SQL shell on it."""
