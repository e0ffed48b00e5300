"""Step roll_back: returns the aliases to the last good version."""
