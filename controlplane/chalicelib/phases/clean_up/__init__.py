"""Phase 12: removes what a rollout or a whole environment leaves in AWS, and verifies that nothing is left."""
