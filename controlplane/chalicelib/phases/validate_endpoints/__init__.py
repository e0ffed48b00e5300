"""Phase 7, validate_endpoints: the real OpenAI SDK against the candidate, one check an operation."""
