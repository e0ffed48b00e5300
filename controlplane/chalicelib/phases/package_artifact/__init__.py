"""The room of package_artifact."""
