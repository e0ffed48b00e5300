"""Simulated rollouts against the gate's own rules: what it stops, how early, and how rarely it is wrong."""
