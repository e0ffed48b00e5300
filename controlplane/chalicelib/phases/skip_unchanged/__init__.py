"""Skips, in one step, the phases that have nothing to do."""
