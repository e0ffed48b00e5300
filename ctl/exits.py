"""The exit codes of the command line, and which one an outcome has. The help and the documents show the same table."""

from ctl.shapes import Deployment
from ctl.signed import ApiError

DONE, FAILED, USAGE, REFUSED, ROLLED_BACK, WAITING = range(6)
INTERRUPTED = 130  # what a shell shows of a program that SIGINT ended
PIPE_CLOSED = 141  # the same for SIGPIPE

TABLE = {
    DONE: "done",
    FAILED: "it failed; the cause and the remedy are printed",
    USAGE: "it could not begin: wrong usage, no credentials, an unreadable file",
    REFUSED: "the control plane refused it, or the environment is busy",
    ROLLED_BACK: "it failed and was rolled back: users have the last good version",
    WAITING: "it waits for an approval",
}

_BY_STATUS = {"SUCCEEDED": DONE, "ROLLED_BACK": ROLLED_BACK, "WAITING_APPROVAL": WAITING}


def of_deployment(deployment: Deployment) -> int:
    """The code of a deployment that ended or waits for a person."""
    return of_status(deployment["status"])


def of_status(status: str) -> int:
    """The code of a final state, or of one that waits for a person."""
    return _BY_STATUS.get(status, FAILED)


def of_error(error: ApiError) -> int:
    """3 for a request that the API refused; 1 when it broke or did not answer."""
    return REFUSED if 400 <= error.status < 500 else FAILED


def help_text() -> str:
    """The table for the help, a line a code."""
    return "\n".join(f"  {code}  {text}" for code, text in TABLE.items())
