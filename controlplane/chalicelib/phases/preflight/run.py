"""Phase 1: looks at everything that the later phases will need, names all that is wrong, and changes nothing."""

from __future__ import annotations

from chalicelib.domain.errors import PhaseFailed
from chalicelib.domain.model import Action
from chalicelib.domain.names import Names
from chalicelib.engine.phase import Definition, Request, Result
from chalicelib.ports import Aws

from . import build, findings, inspect, simulate


def run(request: Request, aws: Aws) -> Result:
    names = Names(request.environment.name)  # refuses a name that some service would not take
    caller = aws.identity.caller()
    denied, asked = simulate.check(aws)
    deploys = request.action is Action.DEPLOY
    around = inspect.check(request, aws) if deploys else []
    inside, built = build.check(request, aws) if deploys else ([], {})
    found = [*denied, *around, *inside]
    evidence = {
        "account": caller.account,
        "caller": caller.arn,
        "region": aws.settings.region,
        "environment": names.environment,
        "simulated": asked,
        "artifact": built,
        "findings": findings.listed(found),
    }
    stopping = findings.blocking(found)
    if stopping:
        first = stopping[0]
        raise PhaseFailed(
            findings.sentence(stopping),
            code="PreflightFailed",
            field=first.field or None,
            remedy=" | ".join(dict.fromkeys(one.remedy for one in stopping)),
            evidence=evidence,
        )
    to_know = f"; {len(found)} to know of: {found[0].message}" if found else ""
    words = f"{asked['actions']} actions of {asked['roles']} roles are allowed, quotas and names are fine"
    return Result.done(words + to_know, **evidence)


PHASE = Definition(run, dict)
