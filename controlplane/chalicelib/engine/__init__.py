"""What runs a phase: its protocol, the registry, the runner, fingerprints, polling, policies.

`lost_records` rebuilds an environment's record that someone deleted.
"""
