"""Loaded by Python in the emulator and its Lambdas when a test session records their calls."""
