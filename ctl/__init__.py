"""The client: signed calls of the control API, a command line with a live view, a web console."""

__version__ = "0.1.0"
