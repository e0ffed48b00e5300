"""A plan as Markdown, for a comment on a pull request."""

import sys
from collections.abc import Mapping
from typing import Any

from ctl import exits, rolling
from ctl.client import Client
from ctl.shapes import Deployment
from ctl.view.events import Event
from ctl.words import clean, clean_lines, failure

_VERDICTS = {"skip": "unchanged", "run": "**will run**", "depends": "may run"}


def plan(client: Client, body: Mapping[str, Any], key: str | None) -> int:
    """Start a plan, wait for its end, print it. Only Markdown goes to standard output; progress to standard error."""
    started = client.start(body, key)
    ended = rolling.followed(client, started["id"], out=sys.stderr)
    sys.stdout.write(page(ended))
    return exits.of_deployment(ended)


def page(deployment: Deployment) -> str:
    """The comment. Its first line marks it, so that the next run replaces it and a deploy reads its digest."""
    environment = deployment["environment"]
    evidence = next((row.get("evidence", {}) for row in deployment.get("steps", []) if row["name"] == "make_plan"), {})
    digest = clean(evidence.get("digest", ""))
    head = f"<!-- proxyctl-plan environment={clean(environment)} digest={digest} -->\n"
    head += f"### Plan for `{_code(environment)}`\n\n"
    if deployment["status"] != "SUCCEEDED":
        return f"{head}The plan failed.\n\n```text\n{_fenced(failure(deployment))}\n```\n"
    table = "".join(_row(line) for line in evidence.get("plan", []))
    text = f"```text\n{_fenced(str(evidence.get('text', '')))}\n```"
    return (
        f"{head}| phase | | what |\n|---|---|---|\n{table}\n"
        f"<details><summary>As text</summary>\n\n{text}\n\n</details>\n\n"
        f"Deployment `{_code(deployment['id'])}`. To hold a deploy to this plan: "
        f"`proxyctl deploy {_code(environment)} --expected-plan {digest}`\n"
    )


def _row(line: Event) -> str:
    details = line.get("details")
    facts = details.items() if isinstance(details, dict) else ()
    text = "<br>".join(f"{_cell(name)}: {_cell(_flat(value))}" for name, value in facts)
    verdict = _VERDICTS.get(str(line.get("would")), _cell(line.get("would")))
    return f"| {_cell(line.get('phase'))} | {verdict} | {text} |\n"


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cell(text: object) -> str:
    """Text from outside in a table: no pipe ends the cell, no HTML and no mention of a person is made of it."""
    escaped = clean(text).replace("\\", "\\\\").replace("|", "\\|").replace("&", "&amp;").replace("<", "&lt;")
    return escaped.replace("@", "&#64;").replace("`", "&#96;").replace("[", "&#91;")


def _code(text: object) -> str:
    return clean(text).replace("`", "")


def _fenced(text: str) -> str:
    return clean_lines(text).replace("```", "'''")
