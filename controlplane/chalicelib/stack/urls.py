"""Where an environment's API is reached: at its own host on AWS, under one path prefix in the embedded cloud."""

from __future__ import annotations

from collections.abc import Mapping

CANDIDATE_PREFIX = "/_candidate"


def api_url(outputs: Mapping[str, str], endpoint_url: str) -> str:
    """The stage's URL, without a slash at the end. `outputs` are the environment stack's."""
    if not endpoint_url:
        return outputs["ApiUrl"]
    return f"{endpoint_url.rstrip('/')}/_aws/execute-api/{outputs['ApiId']}/{outputs['StageName']}"


def base_url(outputs: Mapping[str, str], endpoint_url: str) -> str:
    """What an OpenAI SDK takes as `base_url`: the live alias."""
    return api_url(outputs, endpoint_url) + "/v1"


def live_url(outputs: Mapping[str, str], endpoint_url: str, path: str) -> str:
    """A path (with its leading slash) at the live alias."""
    return api_url(outputs, endpoint_url) + path


def candidate_url(outputs: Mapping[str, str], endpoint_url: str, path: str) -> str:
    """A path (with its leading slash) at the candidate alias, for IAM callers."""
    return api_url(outputs, endpoint_url) + CANDIDATE_PREFIX + path
