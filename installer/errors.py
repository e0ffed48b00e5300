"""How a command ends when it cannot do what was asked: one line for a person, no traceback."""


class CannotStart(Exception):
    """Nothing was begun: usage, credentials, a taken port, a missing tool. Exit code 2."""


class CommandFailed(Exception):
    """Something that ran has failed; the text says what and how to go on. Exit code 1."""
