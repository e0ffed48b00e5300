"""Fuzzing of the proxy's local door and of its way back from an upstream."""
