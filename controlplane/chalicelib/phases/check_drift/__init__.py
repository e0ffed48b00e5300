"""The room of check_drift."""
