"""Step record_outcome: how a deployment ended, and what its environment is from then on."""
