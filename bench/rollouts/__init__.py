"""Rollouts in an embedded cloud, timed as a client sees them."""
