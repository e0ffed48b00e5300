"""What happened to an environment: its incidents, and the bodies of answers about the past."""
