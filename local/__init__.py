"""The embedded cloud: starts, watches and ends the AWS emulator, the OpenAI stand-in and the metrics pump."""
