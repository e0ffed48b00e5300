"""boto3 adapters, one service a file, each behind the Protocol of the same name in `ports/`."""
