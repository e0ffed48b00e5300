"""No text of the product names a partition: `arn:aws:` and `amazonaws.com` fail in China, and the former in GovCloud.

Looks at every file that reaches AWS: code, policies, templates, workflows. Service principals are the same in all
partitions for the services named here (aws-cdk, packages/aws-cdk-lib/region-info/lib/default.ts: those without a rule
of their own).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from judges.documents import ROOT

SOURCES = ("controlplane", "ctl", "installer", "proxy", "statemachine", "bootstrap.py")
_KINDS = (".py", ".json", ".yaml", ".yml", ".js", ".html")
# What runs on AWS in no partition: the judges' and the tests' data, the embedded cloud's, which is of `aws` itself.
_APART = ("installer/dev/", "installer/verify/upstream.py", "ctl/console/page/vendor/")
PRINCIPALS = frozenset(
    {"apigateway", "cloudformation", "cloudwatch", "events", "lambda", "scheduler", "sns", "sqs", "states"}
)
_ARN = re.compile(r"arn:aws:")
_HOST = re.compile(r"([a-z0-9{}$._-]*)amazonaws\.com(\.cn)?")
# Where the suffix of a partition is chosen, and the one place that lists both.
_CHOICE = re.compile(r"amazonaws\.com\.cn.*amazonaws\.com|amazonaws\.com.*amazonaws\.com\.cn")


def findings(root: Path = ROOT) -> list[str]:
    """`file:line: text` for each name of a partition."""
    return [text for path in _files(root) for text in _of_file(path, path.relative_to(root).as_posix())]


def _files(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        start = root / name
        paths = [start] if start.is_file() else sorted(start.rglob("*"))
        for path in paths:
            relative = path.relative_to(root).as_posix()
            if path.suffix in _KINDS and not relative.startswith(_APART) and "__pycache__" not in relative:
                yield path


def _of_file(path: Path, name: str) -> Iterator[str]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if any(judge(line)):
            yield f"{name}:{number}: {line.strip()[:100]}"


def judge(line: str) -> Iterator[str]:
    """What a line names of a partition."""
    if match := _ARN.search(line):
        yield match[0]
    if _CHOICE.search(line):
        return
    for match in _HOST.finditer(line):
        if match[1].removesuffix(".") not in PRINCIPALS or match[2]:
            yield match[0]
