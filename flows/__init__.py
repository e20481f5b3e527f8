"""What runs, when, and what is retried: the command and the Prefect flows."""
