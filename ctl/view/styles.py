"""The rich style of each state of a deployment or phase. Under NO_COLOR rich leaves the colours out."""

STYLES = {
    "PENDING": "dim",
    "RUNNING": "bold yellow",
    "WAITING_APPROVAL": "bold magenta",
    "SUCCEEDED": "green",
    "SKIPPED": "cyan",
    "FAILED": "bold red",
    "ROLLED_BACK": "bold red",
    "ABORTED": "bold red",
}
