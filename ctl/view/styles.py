"""Lines with rich styles, and the style of each state of a deployment or phase. Under NO_COLOR rich has no colours."""

Line = tuple[str, str]  # text, rich style
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
