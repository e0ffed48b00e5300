"""Phase 11, verify_idempotency: the same deployment, repeated, changes nothing."""
