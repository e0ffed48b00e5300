"""Phase 10, write_handoff: the documents for the next engineer, and links to the parts of an environment."""
