"""URLs of an environment's API: a host of its own on AWS, a path below one endpoint in the embedded cloud."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.evidence.stack import StackEvidence

CANDIDATE_PREFIX = "/_candidate"
LIVE_PREFIX = "/_live"  # below the candidate's: the users' version


def api_url(outputs: Mapping[str, str], endpoint_url: str) -> str:
    """The stage's URL, without a slash at the end.

    outputs: of the environment's stack; endpoint_url: the embedded cloud's, "" on AWS. Raises KeyError for a missing
    output.
    """
    if not endpoint_url:
        return outputs["ApiUrl"]
    return f"{endpoint_url.rstrip('/')}/_aws/execute-api/{outputs['ApiId']}/{outputs['StageName']}"


def base_url(outputs: Mapping[str, str], endpoint_url: str) -> str:
    """The `base_url` for an OpenAI SDK; it reaches the live alias. Arguments as in `api_url`."""
    return api_url(outputs, endpoint_url) + "/v1"


def candidate_url(stack: StackEvidence, path: str = "") -> str:
    """The URL of `path` (which begins with a slash) on the candidate alias, for IAM callers, on the candidate's stage.

    A stack of an earlier version of the control plane has one stage for users and candidate.
    """
    root, _, users = stack.api_url.rpartition("/")
    return f"{root}/{stack.outputs.get('CandidateStageName', users)}{CANDIDATE_PREFIX}{path}"
