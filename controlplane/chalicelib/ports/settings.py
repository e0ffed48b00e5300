"""What the control plane was deployed with: read from the environment once, in `settings.py`."""

from __future__ import annotations
