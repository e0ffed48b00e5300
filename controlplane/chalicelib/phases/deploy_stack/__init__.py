"""Phase 4: creates or updates the environment's CloudFormation stack."""
