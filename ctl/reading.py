"""What the reading commands print: the API's answer as JSON, or a page for people."""

import json
import sys
from collections.abc import Iterable

from ctl import exits
from ctl.view import pages
from ctl.view.styles import Line


def put(answer: object, lines: Iterable[Line], *, as_json: bool) -> int:
    """Print an answer; 0."""
    if as_json:
        # ASCII: escaped, text from outside cannot act on the terminal.
        sys.stdout.write(json.dumps(answer, indent=2, default=str) + "\n")
    else:
        pages.put(lines, sys.stdout)
    return exits.DONE
