"""Phase 12: removes what a rollout or a whole environment leaves in AWS, and verifies that nothing is left.

leftovers: after a rollout. follow, remove, verify: the removal of an environment, step by step. search, inventory: the
resources that exist, and the commands that remove them.
"""
