"""Long lines on a terminal: broken between words, the rest indented below the text that goes on. Pure."""

import re
import textwrap

_GAP = re.compile(r"(?<=\S) {2,}|^ +")
_QUOTED = re.compile(r"`[^`]*`")
# Stands for a space at which no line may be broken; `words.clean` lets no such character in.
_FIXED = "\0"


def wrapped(text: str, width: int, *, commands: str = "") -> str:
    """`text`, each of its lines in at most `width` columns. A command in backticks stays in one line, and so does a
    line that holds `commands` and a space: both are copied into a shell. A longer word than `width` stays whole.
    """
    return "\n".join(_line(line, width, commands) for line in text.split("\n"))


def _line(line: str, width: int, commands: str) -> str:
    if len(line) <= width or (commands and f"{commands} " in line):
        return line
    fixed = _QUOTED.sub(lambda quoted: quoted[0].replace(" ", _FIXED), line)
    leading = len(line) - len(line.lstrip())
    parts = textwrap.wrap(
        fixed[leading:],
        width,
        initial_indent=" " * leading,
        subsequent_indent=" " * _indent(line, leading, width),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(parts).replace(_FIXED, " ")


def _indent(line: str, leading: int, width: int) -> int:
    """Where the last column begins; a little more than the line's own indentation where that leaves less than half."""
    last = max((gap.end() for gap in _GAP.finditer(line)), default=0)
    return last if leading < last <= width // 2 else leading + 4
