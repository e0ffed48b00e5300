"""The room of make_plan."""
