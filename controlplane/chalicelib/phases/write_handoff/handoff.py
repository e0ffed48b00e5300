"""The handoff in Markdown: what is deployed and where, what was checked, how to repair it and how to remove it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from chalicelib.domain.codec import decode_lenient
from chalicelib.domain.config import TIME_LIMITS_S, Config
from chalicelib.domain.evidence.stack import StackEvidence
from chalicelib.domain.model import FinishedRun, PhaseRecord, PhaseStatus
from chalicelib.domain.names import Names
from chalicelib.domain.settings import Settings

from .ending import ending_rows
from .troubles import TROUBLES


def handoff_markdown(
    names: Names,
    deployment_id: str,
    at: str,
    links: Mapping[str, str],
    phases: Sequence[PhaseRecord],
    settings: Settings,
    limit: tuple[str, int],
    finished: FinishedRun | None = None,
) -> str:
    """The document. Its commands are complete, so that they can be pasted.

    settings: of the account and region where the environment is. limit: the response mode (`stream` or `buffered`),
    and the seconds that an answer may take.
    at: when it is written, ISO 8601; links: URL by name, without `base_url` where there is no stack. finished: how the
    deployment ended, None while it runs.
    """
    region = settings.region
    parts = [
        f"# Environment `{names.environment}`\n\nWritten {at[:19]}Z by deployment `{deployment_id}` in "
        f"account {settings.account}, region {region}.\n",
        *([_ending(finished)] if finished else []),
        "## Where it is\n\n"
        + _table(("what", "where"), [(name, f"<{url}>") for name, url in links.items()])
        + _moved(phases)
        + f"\nDashboard: `aws --region {region} cloudwatch get-dashboard --dashboard-name {names.dashboard}`\n",
        "## Use it\n\n" + _usage(links.get("base_url", "")),
        "## How long an answer may take\n\n" + _time_limit(*limit),
        "## What was checked\n\n" + _table(("phase", "status", "summary"), [_row(phase) for phase in phases]),
        "## When something is wrong\n\n" + _table(("symptom", "likely cause", "do this"), _troubles(names)),
        "## Remove it\n\n" + _removal(names, settings.account, region),
    ]
    return "\n".join(parts)


def time_limit(config: Config, default_mode: str) -> tuple[str, int]:
    """The response mode of an environment, and the seconds that an answer may take there.

    default_mode: the response mode of environments that do not choose.
    """
    mode = config.response_mode or default_mode
    return mode, config.time_limit_s(mode)


def _ending(run: FinishedRun) -> str:
    return "## How it ended\n\n" + _table(("what", "value"), ending_rows(run))


def _moved(phases: Sequence[PhaseRecord]) -> str:
    """That users have another address than before, where this deployment made the API again."""
    changed = [phase for phase in phases if phase.name == StackEvidence.PHASE and phase.status is PhaseStatus.SUCCEEDED]
    before = decode_lenient(StackEvidence, dict(changed[0].evidence)).address_before if changed else None
    if not before:
        return ""
    return (
        f"\n**The address changed.** Before this deployment it was <{before}>, which answers no more: someone deleted "
        "the API or its stack. Give every client the new `base_url`.\n"
    )


def _usage(base_url: str) -> str:
    if not base_url:
        return "Nothing can be called yet: this environment has no stack. Deploy it first.\n"
    return (
        "```python\n"
        "from openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{base_url}", api_key="<a client key, or any text where none is set>")\n'
        "```\n"
    )


def _time_limit(mode: str, seconds: int) -> str:
    """What ends an answer besides the secret's own `timeouts`."""
    if mode == "buffered":
        longest = min(seconds, TIME_LIMITS_S["buffered"])
        return (
            f"{longest} s: this environment buffers (`response_mode: buffered`), and API Gateway ends what it buffers "
            f"after {TIME_LIMITS_S['buffered']} s with 504. Longer `timeouts` in the secret have no effect here. "
            f"Models that think longer need `response_mode: stream`, which allows {TIME_LIMITS_S['stream']} s.\n"
        )
    return (
        f"{seconds} s (`timeout_s`), streamed or not; API Gateway also ends a stream in which nothing comes for 5 "
        "minutes. The secret's `timeouts` end it earlier: by default 600 s until the first byte, 120 s between two "
        "pieces, 900 s in all.\n"
    )


def _row(phase: PhaseRecord) -> tuple[str, str, str]:
    name = f"{phase.number}. {phase.name}" if phase.number else phase.name
    return name, phase.status.value, phase.summary


def _troubles(names: Names) -> list[tuple[str, str, str]]:
    return [(symptom, cause, step.replace("{environment}", names.environment)) for symptom, cause, step in TROUBLES]


def _removal(names: Names, account: str, region: str) -> str:
    """How to remove everything: through the control plane, and by hand in case that is gone."""
    body = json.dumps({"environment": names.environment, "action": "cleanup", "options": {"remove_secret": True}})
    return (
        f"Through the control plane: `POST /deployments` with\n\n```json\n{body}\n```\n\n"
        "It ends with a proof by name and by tag that nothing is left. By hand, if the control plane is gone, with "
        f"credentials of account {account}:\n\n"
        "```sh\n"
        f"aws cloudformation delete-stack --region {region} --stack-name {names.stack}\n"
        f"aws cloudformation wait stack-delete-complete --region {region} --stack-name {names.stack}\n"
        f"aws logs delete-log-group --region {region} --log-group-name {names.log_group}\n"
        f"aws secretsmanager delete-secret --region {region} --secret-id {names.secret} --recovery-window-in-days 7\n"
        f"aws resourcegroupstaggingapi get-resources --region {region} "
        f"--tag-filters Key=proxyctl:environment,Values={names.environment}   # must list nothing\n"
        "```\n\n"
        f"The dashboard `{names.dashboard}` serves all environments, and goes with the last one. "
        "A log group that comes back: Lambda wrote late lines; delete it once more. A secret in its recovery window is "
        "listed by tag until the window ends.\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join([_line(head), _line(["---"] * len(head)), *map(_line, rows)]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
