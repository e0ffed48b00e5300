"""Pure decisions: no boto3, no clock, no environment. Everything here can be tested with plain values."""
