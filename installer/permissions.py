"""What each function of the control plane may do, as a page for whoever must approve it: `docs/permissions.md`.

Made from the `policy.json` of each function by `python -m installer.permissions`; a test compares them, so that no
statement comes or goes unseen.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chalicelib.engine import policies

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "permissions.md"
_PREFIX = re.compile(
    r"^arn:(?:\$\{AWS::Partition\}|aws):([a-z0-9-]+):(?:\$\{AWS::Region\}|\*)?:(?:\$\{AWS::AccountId\}|\*)?:"
)
_INTRO = """\
# What each function may do

Made from the `policy.json` of each function under `controlplane/chalicelib/` (`python -m installer.permissions`);
a test compares them. One policy a
function, one statement a purpose. Partition, region and account of every ARN are those of the control plane.
"""


def page(documents: Mapping[str, Any] | None = None) -> str:
    """The whole page, Markdown. documents: policy document by stem; those of the checkout when it is None."""
    parts = [_INTRO]
    for stem, document in (documents or policies.documents()).items():
        parts.append(f"## {stem}\n\n| purpose | actions | resources | only if |\n|---|---|---|---|\n")
        parts.append("".join(f"| {' | '.join(_cells(statement))} |\n" for statement in document["Statement"]))
    return "\n".join(parts).replace("|\n\n|", "|\n|")


def _cells(statement: dict[str, Any]) -> Iterator[str]:
    yield _words(statement["Sid"])
    yield _listed(statement["Action"])
    yield _listed(statement["Resource"])
    conditions = statement.get("Condition", {})
    yield "; ".join(
        f"`{key}` {kind} {_listed(value)}" for kind, keys in conditions.items() for key, value in keys.items()
    )


def _words(sid: str) -> str:
    """`KeepRecords` as `keep records`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=A)(?=[A-Z][a-z])", " ", sid).capitalize()


def _listed(given: Any) -> str:
    items = given if isinstance(given, list) else [given]
    return ", ".join(f"`{_short(one)}`" for one in items)


def _short(item: Any) -> str:
    """An ARN from its service on."""
    text = next(iter(item.values())) if isinstance(item, dict) else item
    text = text[0] if isinstance(text, list) else text
    return _PREFIX.sub(r"\1:", str(text)).replace("${AWS::AccountId}", "ACCOUNT").replace("${AWS::Region}", "REGION")


if __name__ == "__main__":
    PAGE.write_text(page())
