"""The bench. What it measures of the control plane is imported as the Lambdas import it, from `controlplane/`."""

import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "controlplane"))
