"""The room of validate_errors."""
