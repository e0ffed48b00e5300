"""Step run_drill: the whole control plane, tried on an environment of its own."""
