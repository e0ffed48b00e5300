"""Restores the stack settings and alarms of the release that a rollback went back to."""
