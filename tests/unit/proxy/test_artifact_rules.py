"""What the artifact may hold, and how much."""

import importlib.metadata
import io
import json
import re
import zipfile
from pathlib import Path

from tests.functional.proxy import artifact

PROXY = Path(__file__).parents[3] / "proxy"


def test_every_dependency_is_pinned_with_hashes_and_is_the_version_that_the_tests_run_with() -> None:
    text = (PROXY / "requirements.txt").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", text, re.MULTILINE))
    assert set(pins) == set(artifact.DISTRIBUTIONS)
    assert {name: importlib.metadata.version(name) for name in pins} == pins
    assert text.count("--hash=sha256:") >= len(pins)


def test_the_rules_have_the_schema_that_the_readme_documents() -> None:
    rules = json.loads((PROXY / "artifact.json").read_text())
    assert set(rules) == {"schema", "root", "include", "exclude"}
    assert rules["schema"] == 1
    assert all((PROXY.parent / source).is_file() for source in rules["root"].values())


def test_the_artifact_is_pure_python_and_at_most_one_megabyte_zipped(tmp_path: Path) -> None:
    folder = artifact.build(tmp_path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    assert not [path for path in folder.rglob("*") if path.suffix in (".so", ".pyd", ".dylib")]
    assert len(packed.getvalue()) <= 1_000_000
