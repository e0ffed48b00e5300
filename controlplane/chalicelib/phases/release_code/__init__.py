"""Phase 6, release_code: updates code and settings, publishes a version and points `candidate` at it."""
