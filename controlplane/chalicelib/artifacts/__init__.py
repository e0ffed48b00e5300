"""The proxy's deployment artifact: assembled, described, identified by its content."""
