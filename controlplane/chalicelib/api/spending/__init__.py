"""What an environment costs: at rest, per million requests, and for its rollouts (see `chalicelib/costs`)."""
