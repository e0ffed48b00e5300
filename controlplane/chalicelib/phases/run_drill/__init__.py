"""Step run_drill: tries the whole control plane on an environment of its own.

parts: how each part must end, and which follows. look: how it ended. What each part posts is in `domain/drills`.
"""
