"""From extracts to published findings, without an orchestrator."""
