"""What MiniStack's IAM decides otherwise than AWS."""
