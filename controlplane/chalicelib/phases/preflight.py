"""Phase 1: looks at everything that the later phases will need, names all that is wrong, and changes nothing."""

from __future__ import annotations

from ..core import findings as judge
from ..core.contract import Request, Result
from ..core.model import Action
from ..core.naming import Names
from ..errors import PhaseFailed
from ..inspection import permissions, sources, surroundings
from ..ports import Aws


def run(request: Request, aws: Aws) -> Result:
    names = Names(request.environment.name)  # refuses a name that some service would not take
    caller = aws.identity.caller()
    denied, asked = permissions.check(aws)
    deploys = request.action is Action.DEPLOY
    around = surroundings.check(request, aws) if deploys else []
    inside, built = sources.check(request, aws) if deploys else ([], {})
    found = [*denied, *around, *inside]
    evidence = {
        "account": caller.account,
        "caller": caller.arn,
        "region": aws.settings.region,
        "environment": names.environment,
        "simulated": asked,
        "artifact": built,
        "findings": judge.listed(found),
    }
    stopping = judge.blocking(found)
    if stopping:
        first = stopping[0]
        raise PhaseFailed(
            judge.sentence(stopping),
            code="PreflightFailed",
            field=first.field or None,
            remedy=" | ".join(dict.fromkeys(one.remedy for one in stopping)),
            evidence=evidence,
        )
    to_know = f"; {len(found)} to know of: {found[0].message}" if found else ""
    words = f"{asked['actions']} actions of {asked['roles']} roles are allowed, quotas and names are fine"
    return Result.done(words + to_know, **evidence)
