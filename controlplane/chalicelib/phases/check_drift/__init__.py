"""Compares an environment with the record of its live release, and restores what is safe to restore."""
