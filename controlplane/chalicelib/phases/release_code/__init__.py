"""The room of release_code."""
