"""How a command ends when it fails: one line for a person, no traceback."""


class CannotStart(Exception):
    """Nothing was started: usage, credentials, a taken port, a missing tool. Exit code 2."""


class CommandFailed(Exception):
    """Something that ran has failed; the message says what, and how to go on. Exit code 1."""
