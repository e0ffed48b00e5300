"""The room of validate_endpoints."""
