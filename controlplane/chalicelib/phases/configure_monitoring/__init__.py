"""The room of configure_monitoring."""
