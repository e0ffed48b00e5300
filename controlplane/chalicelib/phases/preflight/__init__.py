"""Phase 1: checks everything that the later phases need, and changes nothing.

simulate, with the pure roles, grants, questions, policy_text and verdicts: what the control plane's roles may do.
repeat: when IAM's simulator is asked again. inspect, ownership, quotas: account, names and limits. build: artifact,
template and secret. findings: how the results read.
"""
