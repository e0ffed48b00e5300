"""`make bench`: every part, one after the other, since two at once would measure each other.

`python -m bench load` runs one part; what comes after `--` goes to it, as in `python -m bench proxy -- --litellm`.
"""

from __future__ import annotations

import importlib
import sys

PARTS = ("proxy", "load", "gates", "revalidation", "scale", "costs", "console", "rollouts")
_SINGLE = ("revalidation", "scale", "costs", "console")  # modules; the others are packages


def main(arguments: list[str]) -> int:
    """0 when every part ran and met its bounds."""
    names = arguments[: arguments.index("--")] if "--" in arguments else arguments
    rest = arguments[len(names) + 1 :]
    if unknown := [name for name in names if name not in PARTS]:
        print(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    failed = []
    for name in names or PARTS:
        print(f"== {name}", flush=True)
        part = importlib.import_module(f"bench.{name}" if name in _SINGLE else f"bench.{name}.__main__")
        if part.main(rest):
            failed.append(name)
    print(f"bench: {'every part met its bounds' if not failed else 'missed bounds in ' + ', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
