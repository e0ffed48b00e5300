#!/usr/bin/env python3
"""Installs, upgrades and removes the control plane; `demo` does it all on this machine.

It needs the standard library only: the first use creates `.venv` and starts this file again inside it.
Exit codes: 0 done; 1 something that ran has failed, its cause is printed; 2 it could not start (usage, credentials,
a taken port, too old a Python).
"""

import sys

# Before any import that an older Python cannot parse, and in syntax that it can.
if sys.version_info < (3, 11):  # noqa: UP036
    version = "%d.%d" % sys.version_info[:2]  # noqa: UP031
    sys.stderr.write("bootstrap.py needs Python 3.11 or newer; this is " + version + ": " + sys.executable + "\n")
    sys.exit(2)

from pathlib import Path

from installer.start import main

if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent, sys.argv[1:]))
