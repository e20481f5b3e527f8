"""What the night needs around a run: notifications, status for a monitor, a limit on its time."""
