"""Bundles in the fake bucket, with the proxy's real template unless a test gives another."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from .artifacts import FakeArtifacts

TEMPLATE = (Path(__file__).resolve().parents[2] / "proxy" / "template.yaml").read_text()


def put_bundle(artifacts: FakeArtifacts, key: str = "bundles/abc.zip", template: str = TEMPLATE) -> None:
    """Store a bundle that holds nothing but a template."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("template.yaml", template)
    artifacts.objects[key] = content.getvalue()
