"""What each function of the control plane may do, as a page for whoever must approve it: `docs/permissions.md`.

`python -m installer.dev.permissions` writes it from the `policy.json` of each function; a test compares them: no
statement is added or removed unnoticed.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from chalicelib.engine import policies

from installer.packaging.template import PolicyDocument, Statement

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "permissions.md"
_PREFIX = re.compile(
    r"^arn:(?:\$\{AWS::Partition\}|aws):([a-z0-9-]+):(?:\$\{AWS::Region\}|\*)?:(?:\$\{AWS::AccountId\}|\*)?:"
)
_INTRO = """\
# What each function may do

Made from the `policy.json` of each function under `controlplane/chalicelib/` (`python -m installer.dev.permissions`);
a test compares them. One policy a
function, one statement a purpose. Partition, region and account of every ARN are those of the control plane.
"""


def page(documents: Mapping[str, PolicyDocument] | None = None) -> str:
    """The whole page, Markdown. documents: policy document by stem; None: those of the checkout."""
    parts = [_INTRO]
    for stem, document in (documents or of_checkout()).items():
        parts.append(f"## {stem}\n\n| purpose | actions | resources | only if |\n|---|---|---|---|\n")
        parts.append("".join(f"| {' | '.join(_cells(statement))} |\n" for statement in document["Statement"]))
    return "\n".join(parts).replace("|\n\n|", "|\n|")


def of_checkout() -> Mapping[str, PolicyDocument]:
    """The complete policy of every function by its stem."""
    return cast("Mapping[str, PolicyDocument]", policies.documents())


def _cells(statement: Statement) -> Iterator[str]:
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


def _listed(value: object) -> str:
    items = value if isinstance(value, list) else [value]
    return ", ".join(f"`{_short(item)}`" for item in items)


def _short(item: object) -> str:
    """An ARN without partition, region and account; of Fn::Sub and the like, their text."""
    text = next(iter(item.values())) if isinstance(item, dict) else item
    text = text[0] if isinstance(text, list) else text
    return _PREFIX.sub(r"\1:", str(text)).replace("${AWS::AccountId}", "ACCOUNT").replace("${AWS::Region}", "REGION")


if __name__ == "__main__":
    PAGE.write_text(page())
