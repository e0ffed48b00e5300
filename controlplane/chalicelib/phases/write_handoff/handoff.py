"""The handoff in Markdown: what was deployed, where it is, how it did, what to do when it hurts, how to remove it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.model import PhaseRecord
from chalicelib.domain.names import Names

# Symptom, likely cause, first step. Taken from what the checks of phases 7 and 8 look for.
TROUBLES: tuple[tuple[str, str, str], ...] = (
    (
        "401 `invalid_api_key` on every call",
        "The client key is not in the secret's `client_keys`, or the provider refuses the stored key.",
        "`python -m ctl secret set {environment}` stores a new one; the proxy reads it again by itself.",
    ),
    (
        "404 `model_not_found`",
        "The model is neither an alias of the secret's `models` nor known upstream.",
        "Ask `/v1/models` what there is; add the alias to the secret.",
    ),
    (
        "429 with `retry-after`",
        "The stage's throttle, or the provider's own limit (then `x-ratelimit-*` headers are there too).",
        "Raise `config.throttle`, or ask the provider for more.",
    ),
    (
        "503 from `/health`",
        "The proxy cannot read its secret, or the secret is malformed.",
        "Look for `secret` in the function's log; `GET /environments/{environment}` shows the last revalidation.",
    ),
    (
        "504, or answers that end after 29 s",
        "API Gateway's integration timeout, which is shorter than the model takes.",
        "Stream the answer (`response_mode: stream`), or raise the integration timeout by a quota request.",
    ),
    (
        "A deployment stays RUNNING",
        "Its execution was stopped by hand.",
        "Start another: a lock whose execution is dead is taken over by itself.",
    ),
)


def handoff_markdown(
    names: Names,
    deployment_id: str,
    at: str,
    links: Mapping[str, str],
    phases: Sequence[PhaseRecord],
    region: str,
) -> str:
    """The document as text. Commands in it are complete: they can be pasted."""
    parts = [
        f"# Environment `{names.environment}`\n\nWritten {at[:19]}Z by deployment `{deployment_id}` in {region}.\n",
        "## Where it is\n\n"
        + _table(("what", "where"), [(name, f"<{url}>") for name, url in links.items()])
        + f"\nDashboard: `aws --region {region} cloudwatch get-dashboard --dashboard-name {names.dashboard}`\n",
        "## Use it\n\n" + _usage(links),
        "## What was proved\n\n" + _table(("phase", "verdict", "what it saw"), [_row(phase) for phase in phases]),
        "## When something is wrong\n\n" + _table(("symptom", "likely cause", "do this"), _troubles(names)),
        "## Remove it\n\n" + _removal(names, region),
    ]
    return "\n".join(parts)


def _usage(links: Mapping[str, str]) -> str:
    base = links.get("base_url", "")
    return (
        "```python\n"
        "from openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{base}", api_key="<a client key, or any text where none is set>")\n'
        "```\n"
    )


def _row(phase: PhaseRecord) -> tuple[str, str, str]:
    return (
        f"{phase.number}. {phase.name}" if phase.number else phase.name,
        phase.status.value,
        phase.summary,
    )


def _troubles(names: Names) -> list[tuple[str, str, str]]:
    return [(symptom, cause, step.replace("{environment}", names.environment)) for symptom, cause, step in TROUBLES]


def _removal(names: Names, region: str) -> str:
    """The way through the control plane, and by hand for the case that it is gone."""
    body = json.dumps({"environment": names.environment, "action": "cleanup", "options": {"remove_secret": True}})
    return (
        f"Through the control plane: `POST /deployments` with\n\n```json\n{body}\n```\n\n"
        "It ends with a proof by name and by tag that nothing is left. By hand, should the control plane be gone:\n\n"
        "```sh\n"
        f"aws cloudformation delete-stack --region {region} --stack-name {names.stack}\n"
        f"aws cloudformation wait stack-delete-complete --region {region} --stack-name {names.stack}\n"
        f"aws logs delete-log-group --region {region} --log-group-name {names.log_group}\n"
        f"aws cloudwatch delete-dashboards --region {region} --dashboard-names {names.dashboard}\n"
        f"aws secretsmanager delete-secret --region {region} --secret-id {names.secret} --recovery-window-in-days 7\n"
        f"aws resourcegroupstaggingapi get-resources --region {region} "
        f"--tag-filters Key=proxyctl:environment,Values={names.environment}   # must list nothing\n"
        "```\n\n"
        "A log group that comes back: Lambda wrote late lines; delete it once more. A secret in its recovery window is "
        "listed by tag until the window ends.\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    def line(cells: Sequence[Any]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(head), line(["---"] * len(head)), *map(line, rows)]) + "\n"
