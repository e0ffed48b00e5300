"""Step await_approval: a person agrees before users reach the candidate."""
