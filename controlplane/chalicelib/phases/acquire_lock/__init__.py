"""The room of acquire_lock."""
