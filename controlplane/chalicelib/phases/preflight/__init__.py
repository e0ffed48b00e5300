"""Phase 1: checks everything that the later phases need, and changes nothing.

simulate, grants: what the control plane's roles may do. inspect, ownership, quotas: account, names and limits. build:
artifact, template and secret. findings: how the results read.
"""
