"""Phase 8, validate_errors: every kind of failure must answer the right status with an OpenAI-shaped error."""
