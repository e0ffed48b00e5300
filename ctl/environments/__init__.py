"""Environments as files: read and check them, compare them with what is deployed, roll what differs in waves."""
