"""The room of restore_settings."""
