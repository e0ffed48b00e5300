"""The secret: its schema, where it is read from, and the last good one."""
