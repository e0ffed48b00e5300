"""The room of preflight."""
