"""The room of write_handoff."""
