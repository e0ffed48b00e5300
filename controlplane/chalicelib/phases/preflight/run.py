"""Phase 1: checks everything that the later phases need, names all that is wrong at once, and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.evidence.preflight import Build, Finding, PreflightEvidence
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from . import build, findings, inspect, simulate


def run(request: Request, aws: Aws) -> Result[PreflightEvidence]:
    """Permissions always; quotas, names, artifact, template and secret before a deploy.

    Raises BadRequest for an invalid environment name, PhaseFailed (PreflightFailed) with every finding.
    """
    names, caller = request.names, aws.identity.caller()
    refused, simulated = simulate.check(request, aws)
    surroundings, inputs, sizes = _before_a_deploy(request, aws)
    every = (*refused, *surroundings, *inputs)
    evidence = PreflightEvidence(
        account=caller.account,
        caller=caller.arn,
        region=aws.settings.region,
        environment=names.environment,
        simulated=simulated,
        artifact=sizes,
        findings=every,
    )
    _refuse(findings.blocking(every), evidence)
    return Result.done(findings.passed(simulated, every), evidence)


def _before_a_deploy(request: Request, aws: Aws) -> tuple[list[Finding], list[Finding], Build]:
    if not request.action.deploys:
        return [], [], Build()
    return inspect.check(request, aws), *build.check(request, aws)


def _refuse(blocking: Sequence[Finding], evidence: PreflightEvidence) -> None:
    if blocking:
        raise PhaseFailed(
            findings.problems(blocking),
            code="PreflightFailed",
            field=blocking[0].field or None,
            remedy=" | ".join(dict.fromkeys(finding.remedy for finding in blocking)),
            evidence=evidence,
        )


PHASE = Definition(run, PreflightEvidence)
