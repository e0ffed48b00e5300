"""What a request says: its caller, path, model and origin."""
