"""Installs, upgrades and removes the control plane, and runs it on this machine (`demo`)."""

import sys
from pathlib import Path

# The installer reads the control plane's pure, stdlib-only modules (policies, stack states) instead of repeating them.
sys.path.append(str(Path(__file__).resolve().parent.parent / "controlplane"))
