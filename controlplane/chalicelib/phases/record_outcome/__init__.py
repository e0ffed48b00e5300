"""The room of record_outcome."""
