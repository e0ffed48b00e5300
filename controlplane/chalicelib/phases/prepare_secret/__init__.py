"""The room of prepare_secret."""
