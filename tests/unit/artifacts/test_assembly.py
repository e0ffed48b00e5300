"""Facts about the artifact: what goes in, what is refused, and that only its input decides its bytes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from chalicelib.artifacts import archive, assembly
from chalicelib.domain.errors import PhaseFailed

MANIFEST = {
    "schema": 1,
    "root": {"bootstrap": "proxy/bootstrap"},
    "include": ["proxy/*.py", "dep/*"],
    "exclude": ["dep/tests/*"],
}
FILES: dict[str, bytes] = {
    "proxy/artifact.json": json.dumps(MANIFEST).encode(),
    "proxy/bootstrap": b"#!/bin/sh\n",
    "proxy/core.py": b"NAMES = frozenset({'a', 'b', 'c'})\n\n\ndef respond(x):\n    return x in {1, 2, 3}\n",
    "dep/__init__.py": b"VALUE = 1\n",
    "dep/tests/test_dep.py": b"assert False\n",
    "template.yaml": b"Resources: {}\n",
    "other/left_out.py": b"",
}


def bundle(**changes: bytes | None) -> bytes:
    files: dict[str, bytes | None] = {**FILES, **changes}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        for name, content in files.items():
            if content is not None:
                opened.writestr(name, content)
    return out.getvalue()


def names(artifact: assembly.Artifact) -> set[str]:
    return set(zipfile.ZipFile(io.BytesIO(artifact.content)).namelist())


def test_the_manifest_decides_what_goes_in() -> None:
    tag = sys.implementation.cache_tag
    assert names(assembly.build(bundle())) == {
        "bootstrap",
        "proxy/core.py",
        f"proxy/__pycache__/core.{tag}.pyc",
        "dep/__init__.py",
        f"dep/__pycache__/__init__.{tag}.pyc",
    }


def test_the_digest_is_that_of_the_tree_with_its_modes() -> None:
    artifact = assembly.build(bundle())
    files, executable = archive.unpack(artifact.content)
    assert executable == {"bootstrap"}
    assert artifact.digest == archive.tree_digest(files, executable)
    assert artifact.digest != archive.tree_digest(files)


def test_another_zlib_gives_another_zip_of_the_same_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """zlib-ng and zlib differ at the same level; here another level stands for another library."""
    long = bundle(**{"dep/long.py": b"".join(b"value_%d = %d\n" % (n, n * n) for n in range(500))})
    here = assembly.build(long)
    compressobj = zlib.compressobj
    monkeypatch.setattr(zlib, "compressobj", lambda _level=6, *rest: compressobj(1, *rest))
    there = assembly.build(long)
    assert here.content != there.content
    assert (here.digest, here.sbom) == (there.digest, there.sbom)


def test_two_processes_with_other_hash_seeds_build_the_same_digest(tmp_path: Path) -> None:
    """The stand-in for two machines: hashes of strings differ, and which words the process holds already."""
    (tmp_path / "bundle.zip").write_bytes(bundle())
    root = Path(__file__).resolve().parents[3] / "controlplane"
    script = (
        "import sys; from chalicelib.artifacts import assembly; words = [sys.intern(word) for word in sys.argv[2:]];"
        "print(assembly.build(open(sys.argv[1], 'rb').read()).digest)"
    )
    digests = set()
    for seed, words in (("0", []), ("1", ["respond", "NAMES", "x"]), ("4242", ["x"])):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "bundle.zip"), *words],
            env={"PYTHONPATH": str(root), "PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert digests == {assembly.build(bundle()).digest}


def test_bytecode_holds_no_marks_of_what_was_shared_when_it_was_compiled() -> None:
    """marshal's newer formats set the high bit of an object's type when something else held it too (FLAG_REF)."""
    code = assembly.bytecode("proxy/core.py", FILES["proxy/core.py"])[16:]
    assert code[:1] == b"c"


def test_the_order_and_times_of_the_bundle_do_not_matter() -> None:
    shuffled = io.BytesIO()
    with zipfile.ZipFile(shuffled, "w", zipfile.ZIP_DEFLATED) as opened:
        for name in sorted(FILES, reverse=True):
            opened.writestr(zipfile.ZipInfo(name, (2020, 2, 2, 2, 2, 2)), FILES[name])
    assert assembly.build(shuffled.getvalue()).digest == assembly.build(bundle()).digest


def test_one_changed_byte_changes_the_digest() -> None:
    changed = bundle(**{"proxy/core.py": FILES["proxy/core.py"] + b"#"})
    assert assembly.build(changed).digest != assembly.build(bundle()).digest


def test_the_bytecode_is_used_without_a_look_at_the_source(tmp_path: Path) -> None:
    """Unchecked: the source beside it says something else, and Python does not read it."""
    packed = zipfile.ZipFile(io.BytesIO(assembly.build(bundle()).content))
    packed.extractall(tmp_path)
    (tmp_path / "proxy/core.py").write_text("raise SystemExit('the source was compiled')")
    code = "import proxy.core as c; print(c.respond(2), sorted(c.NAMES), c.__cached__.endswith('.pyc'))"
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True ['a', 'b', 'c'] True"


def refused(bundled: bytes) -> PhaseFailed:
    with pytest.raises(PhaseFailed) as caught:
        assembly.build(bundled)
    return caught.value


def test_machine_code_is_refused_by_the_name_of_its_package() -> None:
    error = refused(
        bundle(
            **{
                "fast/_speedups.cpython-311-x86_64-linux-gnu.so": b"\x7fELF",
                "fast-1.0.dist-info/RECORD": b"fast/_speedups.cpython-311-x86_64-linux-gnu.so,sha256=x,4\n",
            }
        )
    )
    assert error.code == "CompiledExtension"
    assert "fast-1.0" in error.message
    assert error.evidence["compiled"] == {"fast-1.0": ["fast/_speedups.cpython-311-x86_64-linux-gnu.so"]}


def test_machine_code_without_a_record_is_refused_by_its_folder() -> None:
    assert "quick:" in refused(bundle(**{"quick/lib.pyd": b"MZ"})).message


def test_a_module_that_does_not_compile_is_named_with_its_line() -> None:
    error = refused(bundle(**{"proxy/core.py": b"fine = 1\ndef broken(:\n"}))
    assert (error.code, error.field) == ("SourceBroken", "proxy/core.py")
    assert "line 2" in error.message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"proxy/artifact.json": None}, "proxy/artifact.json"),
        ({"proxy/artifact.json": b"[]"}, "proxy/artifact.json"),
        ({"proxy/bootstrap": None}, "proxy/artifact.json"),
    ],
)
def test_a_broken_bundle_is_reported_by_the_file(change: dict[str, Any], field: str) -> None:
    error = refused(bundle(**change))
    assert (error.code, error.field) == ("BundleBroken", field)


def test_a_bundle_that_is_no_zip_is_refused() -> None:
    assert refused(b"not a zip").code == "BundleBroken"


def test_an_oversized_artifact_names_its_largest_parts() -> None:
    parts = [(f"dep{i}/x", 1_000_000) for i in range(10)]
    assembly.check_sizes(assembly.MAX_ZIP, assembly.MAX_UNPACKED, parts)
    for sizes in ((assembly.MAX_ZIP + 1, 0), (0, assembly.MAX_UNPACKED + 1)):
        with pytest.raises(PhaseFailed) as caught:
            assembly.check_sizes(*sizes, parts)
        assert caught.value.code == "ArtifactTooLarge"
        assert all(name in caught.value.message for name, _ in parts)


def test_parts_are_counted_with_their_bytecode_largest_first() -> None:
    files = {"a/b/c.py": b"12", "a/b/__pycache__/c.pyc": b"3456", "z.py": b"1"}
    assert assembly.parts(files) == [("a/b", 6), ("z.py", 1)]


def test_the_sbom_names_dependencies_and_own_files_and_is_reproducible() -> None:
    metadata = (
        b"Metadata-Version: 2.4\nName: Dep_of.Ours\nVersion: 1.2\nLicense-Expression: MIT\nSummary: d\n\nLong text\n"
    )
    manifest = {**MANIFEST, "include": [*MANIFEST["include"], "*.dist-info/METADATA"]}  # type: ignore[misc]
    content = bundle(**{"Dep-1.2.dist-info/METADATA": metadata, "proxy/artifact.json": json.dumps(manifest).encode()})
    first, second = assembly.build(content), assembly.build(content)
    assert first.sbom == second.sbom
    document = json.loads(first.sbom)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    properties = document["metadata"]["component"]["properties"]
    assert properties == [{"name": "proxyctl:tree-sha256", "value": first.digest}]
    by_name = {component["name"]: component for component in document["components"]}
    assert by_name["Dep_of.Ours"]["purl"] == "pkg:pypi/dep-of-ours@1.2"
    assert by_name["Dep_of.Ours"]["licenses"] == [{"expression": "MIT"}]
    assert by_name["proxy/core.py"]["hashes"][0]["alg"] == "SHA-256"


@pytest.mark.parametrize(
    ("key", "ours"),
    [
        (f"artifacts/dev/{'a' * 64}.zip", True),
        (f"artifacts/dev/{'a' * 64}.cdx.json", True),
        ("artifacts/dev/backup.zip", False),
        (f"artifacts/dev/{'a' * 64}.zip.bak", False),
        (f"reports/dev/{'a' * 64}.zip", False),
    ],
)
def test_only_content_addressed_names_are_ours(key: str, ours: bool) -> None:
    assert assembly.is_artifact_key(key) is ours
