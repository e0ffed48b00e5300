"""Output for the person at the terminal: results go to standard output, progress and errors to standard error."""

import sys


def say(line: str = "") -> None:
    """Print one line of the result; flushed at once, so that a pipe shows a rollout as it runs."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell(line: str) -> None:
    """Print one line of progress, or a cause of failure."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
