"""The room of verify_idempotency."""
