"""Fleets: their routes, what a deployment in waves is made of on the command line, and how it is shown."""
