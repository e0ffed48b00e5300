"""One room a phase or step: run.py, the pure modules that decide, and policy.json."""
