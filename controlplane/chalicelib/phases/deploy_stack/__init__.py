"""The room of deploy_stack."""
