"""The client: signed calls of the control API, a command line with live progress."""
