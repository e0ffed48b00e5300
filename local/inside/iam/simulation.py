"""IAM's policy simulator judges each of the resources it is given; MiniStack's judges the first of them only."""

import re
from typing import Any

_DECISION = re.compile("<EvalDecision>(.*?)</EvalDecision>")


def judge_each_resource(iam: Any) -> None:
    """Of several resources the answer has a result for each action, with each resource's own decision below it."""
    extract, build = iam._extract_simulate_params, iam._build_simulate_results_real

    def extract_all(parameters: Any) -> tuple[list[str], list[str]]:
        actions, first = extract(parameters)
        resources = [first]
        while arn := iam._p(parameters, f"ResourceArns.member.{len(resources) + 1}"):
            resources.append(arn)
        return actions, resources

    def build_each(actions: list[str], resources: list[str], *whose: Any) -> str:
        if len(resources) == 1:
            return str(build(actions, resources[0], *whose))
        return "".join(
            _result(action, {arn: _decision(build([action], arn, *whose)) for arn in resources}) for action in actions
        )

    iam._extract_simulate_params, iam._build_simulate_results_real = extract_all, build_each


def _decision(result: str) -> str:
    match = _DECISION.search(result)
    return match[1] if match else "implicitDeny"


def _result(action: str, decisions: dict[str, str]) -> str:
    first = next(iter(decisions))
    specific = "".join(
        f"<member><EvalResourceName>{arn}</EvalResourceName><EvalResourceDecision>{decision}</EvalResourceDecision>"
        "<MatchedStatements></MatchedStatements><MissingContextValues></MissingContextValues></member>"
        for arn, decision in decisions.items()
    )
    return (
        f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{first}</EvalResourceName>"
        f"<EvalDecision>{decisions[first]}</EvalDecision><MatchedStatements></MatchedStatements>"
        f"<MissingContextValues></MissingContextValues><ResourceSpecificResults>{specific}</ResourceSpecificResults>"
        "</member>"
    )
