"""Step acquire_lock: the execution takes the environment that the POST locked for its deployment."""
