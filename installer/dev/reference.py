"""The reference pages that are made from the code. `python -m installer.dev.reference` writes all of them.

`docs/reference/`: configuration and options, errors, command line. Those of other tools, too: `docs/checks.md`,
`docs/reference/alarms.md`, `docs/permissions.md`, `ctl/environments/schema.json`. Tests compare each with its source.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from chalicelib.domain.described import schemas, secret_document
from chalicelib.domain.described.schemas import Field

from installer.dev import cli_reference, error_codes, permissions, schema

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"
DECISIONS = ROOT / "docs" / "decisions"
# Pages that rooms of the control plane print: the installer may not import those rooms.
PRINTED = {
    ROOT / "docs" / "checks.md": "chalicelib.checks.reference",
    FOLDER / "alarms.md": "chalicelib.monitoring.reference",
}
_MADE = "Made from the code by `python -m installer.dev.reference`; a test compares them.\n"
_CONFIGURATION = f"""\
# Configuration, options and secret

{_MADE}
`config` is the environment, stored with every release; `options` are one run's. Both stand in
`POST /deployments`; on the command line `--set memory_mb=1024` sets a field of `config`, `--set load.rps=50` and
`--set options.force=true` one of the options. An [environment file](../cli.md#environments-as-files) holds `config`,
`slo`, `load`, `bake` and `approval`. A field that is wrong is refused with its path; the same
fields are in `GET /openapi.json`.
"""
_ERRORS = f"""\
# Errors

{_MADE}
`code` stands in the API's answer (`{{"error": {{"code", "message", "field"?, "remedy"?}}}}`), in the phase's record, in
the report and in what `proxyctl` prints. `…` stands for what is known when it happens. API Gateway itself answers 403
(no valid signature, no permission, no such route), 413, 415, 429, 502 and 504 in the same shape.
"""
# Errors whose text exists at run time only.
_COMPUTED = {
    "ChangeSetExists": "Another request made a change set of that name in this moment; the phase takes that one.",
    "CheckFailed": "Checks of the release failed; the text names them, what was expected and what came. The evidence "
    "has every check, and its request ID finds the proxy's log line.",
    "Drift": "What stands differs from the record; the text names each difference with its remedy. `options.heal` "
    "restores what is safe.",
    "DrillFailed": "Parts of a drill did not end as they should; the text names them, and the deployment of each.",
    "Throttled": "AWS refused a call for its rate, or failed itself, and the SDK's repetitions ran out. Try again.",
    "PreflightFailed": "Something would fail later: a permission, a quota, a name, a key. The text names each with its "
    "remedy.",
}
_AT_RUN_TIME = "Its text is put together when it happens."
_HEAD = "| field | type | default | range | effect |\n|---|---|---|---|---|\n"


def pages() -> Mapping[Path, str]:
    """The pages that this module makes, by file."""
    return {
        FOLDER / "configuration.md": configuration(),
        FOLDER / "errors.md": errors(),
        FOLDER / "commands.md": cli_reference.page(_MADE),
        DECISIONS / "index.md": decisions(),
        ROOT / "docs" / "threat-model.md": threat_model(),
    }


def configuration() -> str:
    """Every field of config and options, and the fields of the secret."""
    parts = schemas.schemas("{name}")
    listed = list(schemas.fields())
    tables = [
        f"\n## {root}\n\n{_HEAD}{''.join(_row(field, parts) for field in listed if field.path.startswith(f'{root}.'))}"
        for root in ("config", "options")
    ]
    return _CONFIGURATION + "".join(tables) + _secret()


def _row(field: Field, parts: Mapping[str, Mapping[str, Any]]) -> str:
    described = parts[field.owner.__name__]["properties"][field.name]
    name = field.path.partition(".")[2]
    if field.part is not None and field.default is not None:
        return _cells(f"**`{name}`**", "object", "", "", field.effect)
    default = "—" if field.default is dataclasses.MISSING else f"`{json.dumps(field.default)}`"
    return _cells(f"`{name}`", _type(described), default, _range(described), field.effect)


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _type(described: Mapping[str, Any]) -> str:
    if "anyOf" in described:
        return " or ".join(_type(choice) for choice in described["anyOf"])
    if "$ref" in described:
        return "object"
    if "enum" in described and "type" not in described:
        return "text"
    kind = described.get("type", "any")
    if kind == "array":
        return f"list of {_type(described['items'])}"
    names = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}
    return " or ".join(names.get(name, str(name)) for name in (kind if isinstance(kind, list) else [kind]))


def _range(described: Mapping[str, Any]) -> str:
    return "; ".join(_rules(described))


def _rules(described: Mapping[str, Any]) -> Iterator[str]:
    choices = [choice for part in (described, *described.get("anyOf", ())) for choice in part.get("enum", ())]
    if choices:
        yield ", ".join(f"`{json.dumps(choice).strip(chr(34))}`" for choice in choices)
    low, high = described.get("minimum"), described.get("maximum")
    above = described.get("exclusiveMinimum")
    if low is not None and high is not None:
        yield f"{_number(low)} to {_number(high)}"
    elif above is not None and high is not None:
        yield f"above {_number(above)}, up to {_number(high)}"
    if "maxLength" in described:
        yield f"up to {_number(described['maxLength'])} characters"
    if "maxItems" in described:
        yield f"up to {_number(described['maxItems'])}"
    if described.get("items") and (inner := _range(described["items"])):
        yield f"each {inner}"


def _number(value: float) -> str:
    return f"{value:,}"


def _secret() -> str:
    parts = secret_document.schemas("{name}")
    sections = [
        "\n## secret\n\nOne JSON document in Secrets Manager; [docs/secret.md](../secret.md) explains it.\n",
        *(_object(title, parts[name]) for title, name in _SECRET_PARTS.items()),
    ]
    return "".join(sections)


_SECRET_PARTS = {
    "The document": "SecretDocument",
    "Each of `models`": "SecretModel",
    "Each of `client_keys`": "SecretClientKey",
    "Each of `upstreams`": "SecretUpstream",
    "`timeouts`": "SecretTimeouts",
}


def _object(title: str, part: Mapping[str, Any]) -> str:
    required = part.get("required", ())
    rows = [
        _cells(
            f"`{name}`", _type(rule), _default_of(name, rule, required), _range(rule), str(rule.get("description", ""))
        )
        for name, rule in part["properties"].items()
    ]
    return f"\n### {title}\n\n{_HEAD}{''.join(rows)}"


def _default_of(name: str, rule: Mapping[str, Any], required: Iterable[str]) -> str:
    if name in required:
        return "required"
    return f"`{json.dumps(rule['default'])}`" if "default" in rule else "none"


def errors() -> str:
    """Every code with what it means to the caller, its causes and remedies."""
    by_code: dict[str, list[error_codes.Raised]] = {}
    for raised in error_codes.read():
        by_code.setdefault(raised.code, []).append(raised)
    rows = [_error_row(code, places) for code, places in by_code.items()]
    return f"{_ERRORS}\n| code | where | causes and remedies |\n|---|---|---|\n{''.join(rows)}"


def _error_row(code: str, places: Iterable[error_codes.Raised]) -> str:
    places = list(places)
    kinds = list(dict.fromkeys(error_codes.KINDS[place.kind] for place in places))
    texts = [" ".join(filter(None, (_sentence(place.cause), _sentence(place.remedy)))) for place in places]
    causes = [text for text in dict.fromkeys(texts) if any(letter.isalpha() for letter in text)]
    listed = [f"• {_escaped(text)}" for text in causes] or [_COMPUTED.get(code, _AT_RUN_TIME)]
    return _cells(f"`{code}`", "; ".join(kinds), "<br>".join(listed))


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("*", "\\*").replace("_", "\\_")


def decisions() -> str:
    """The list of all decisions, by number."""
    files = sorted(DECISIONS.glob("[0-9]*.md"))
    titles = [(file.read_text().partition("\n")[0].lstrip("# "), file.name) for file in files]
    lines = [f"- [{title}]({name})\n" for title, name in titles]
    return f"# Decisions\n\nWhy things are as they are, and what would undo it.\n\n{''.join(lines)}"


def threat_model() -> str:
    """SECURITY.md, whose place and name people and GitHub expect, as a page of the site."""
    return (ROOT / "SECURITY.md").read_text().replace("# Security", "# Threat model", 1).replace("](docs/", "](")


def _printed(module: str) -> str:
    variables = {**os.environ, "PYTHONPATH": f"{ROOT / 'controlplane'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", module]
    return subprocess.run(command, cwd=ROOT, env=variables, check=True, capture_output=True, text=True).stdout  # noqa: S603


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    printed = {path: _printed(module) for path, module in PRINTED.items()}
    whole = {**pages(), **printed, permissions.PAGE: permissions.page(), schema.FILE: schema.text()}
    for path, text in whole.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
