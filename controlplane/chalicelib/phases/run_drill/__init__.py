"""The room of run_drill."""
