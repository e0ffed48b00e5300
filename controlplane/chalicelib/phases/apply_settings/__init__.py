"""Gives users the stack settings and alarms of the release that they are on now."""
