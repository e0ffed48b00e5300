"""`python -m judges [NAME …]`: every judge of `make check`, or those named; exit code 1 when one finds something."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from installer.say import say
from judges import (
    actions,
    authorization,
    documents,
    escalation,
    exceptions,
    formation,
    node_tools,
    partitions,
    provider,
    rules,
    second_opinion,
    supply_chain,
    templates,
    workflows,
)
from judges.documents import ROOT, Sources

Findings = Callable[[], Sequence[str]]
_GITHUB_ROLE = ROOT / "ci" / "github-role.yaml"


def _cfn_lint() -> Sequence[str]:
    return templates.cfn_lint_findings([templates.control_plane(), templates.proxy(), _GITHUB_ROLE])


def _stages() -> Sequence[str]:
    return templates.stage_findings("controlplane.json", json.loads(templates.control_plane().read_text()))


def _checkov() -> Sequence[str]:
    return [
        text
        for path in (templates.control_plane(), templates.proxy(), _GITHUB_ROLE)
        for text in templates.checkov_findings(path)
    ]


# Judges of what can be read; a name is also that of the exceptions' file. The findings are those before exceptions.
BY_SOURCES: Mapping[str, Callable[[Sources], Sequence[str]]] = {
    "authorization": lambda sources: authorization.findings(documents.collect(sources)),
    "parliament": lambda sources: second_opinion.findings(documents.collect(sources)),
    "escalation": escalation.findings,
    "formation": formation.findings,
    "rules": rules.findings,
    "statelint": lambda sources: workflows.statelint_findings(workflows.read(sources)),
    "asl-validator": lambda sources: workflows.asl_validator_findings(workflows.read(sources)),
}
# Judges of the packaged template.
BY_TEMPLATE: Mapping[str, Findings] = {"stages": _stages, "cfn-lint": _cfn_lint, "checkov": _checkov}
# Judges of what the checks expect of the provider.
BY_CHECKS: Mapping[str, Findings] = {"provider": provider.findings}
# Judges of files that roll nothing.
BY_FILES: Mapping[str, Findings] = {
    "partitions": partitions.findings,
    "actionlint": lambda: actions.findings(actions.read()),
    "hashes": supply_chain.hash_findings,
    "pip-audit": supply_chain.audit_findings,
    "bandit": supply_chain.bandit_findings,
    "sbom": supply_chain.write_sbom,
}
_OTHERS: Mapping[str, Findings] = {**BY_TEMPLATE, **BY_CHECKS, **BY_FILES}
JUDGES = (*BY_SOURCES, *_OTHERS)


def main(names: Sequence[str]) -> int:
    """0 when every judge is content or could not run (NOT RUN says why); unknown names are an error."""
    unknown = sorted(set(names) - set(JUDGES))
    if unknown:
        say(f"no judge named {', '.join(unknown)}; there are: {', '.join(JUDGES)}")
        return 2
    passed = [_run(name) for name in names or JUDGES]
    return 0 if all(passed) else 1


def _run(name: str) -> bool:
    began = time.monotonic()
    try:
        findings = BY_SOURCES[name](documents.read()) if name in BY_SOURCES else _OTHERS[name]()
    except (node_tools.NodeIsMissing, supply_chain.NotRun) as missing:
        say(f"       {name}: {missing}")
        return True
    accepted = exceptions.load(name)
    verdict = exceptions.judge(findings, accepted)
    for text in verdict.open:
        say(f"       {name}: {text}")
    for pattern in verdict.unused:
        say(f"       {name}: the exception {pattern!r} matches nothing any more; delete it")
    explained = len(set(findings)) - len(verdict.open)
    state = "ok    " if verdict.passed else "FAILED"
    say(f"{state} judge {name}: {len(verdict.open)} findings, {explained} explained ({time.monotonic() - began:.1f} s)")
    return verdict.passed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
