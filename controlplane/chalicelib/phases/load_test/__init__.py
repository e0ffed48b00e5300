"""The room of load_test."""
