"""Step make_plan: what a deployment would do, without doing it."""
