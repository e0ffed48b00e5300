"""What runs a phase: its protocol, the registry, the runner, fingerprints, polling, policies."""
