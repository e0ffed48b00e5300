"""Which AWS a command works on, and as whom: an account, or the embedded cloud."""

import os
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from installer.errors import CannotStart
from installer.packaging import wheels

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)


@dataclass(frozen=True)
class Target:
    """One account and region. `endpoint` is "" on AWS itself; `given`: by the caller, not by the environment."""

    session: Any
    account: str
    region: str
    partition: str
    caller: str
    endpoint: str
    given: bool = False

    @property
    def embedded(self) -> bool:
        """Whether Lambdas run on this machine."""
        return urlsplit(self.endpoint).hostname in _LOOPBACK

    @property
    def bucket(self) -> str:
        """The control plane's own bucket."""
        return f"proxyctl-{self.account}-{self.region}"

    @property
    def platform(self) -> wheels.Platform:
        """Where the control plane's Lambdas run."""
        return wheels.this_machine() if self.embedded else wheels.LAMBDA_ARM64

    def client(self, service: str) -> Any:
        """A boto3 client; endpoint and credentials as the AWS CLI would find them, unless they were given."""
        return _client(self.session, service, self.endpoint if self.given else "")

    def api_url(self, api_id: str, stage: str) -> str:
        """Where an API Gateway stage answers."""
        if self.embedded:
            return f"{self.endpoint}/_aws/execute-api/{api_id}/{stage}"
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return f"https://{api_id}.execute-api.{self.region}.{suffix}/{stage}"


def find() -> Target:
    """The target that the environment names. Raises CannotStart saying what is missing or wrong."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    parts = urlsplit(endpoint)
    if endpoint and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise CannotStart(f"AWS_ENDPOINT_URL is {endpoint!r}, and no URL; unset it for AWS itself")
    try:
        session = boto3.session.Session(region_name=os.environ.get("AWS_REGION"))  # the CLI reads it, boto3 does not
        if not session.region_name:
            raise CannotStart("no AWS region; set AWS_REGION (or AWS_DEFAULT_REGION, or a profile that has one)")
        return _of(session, endpoint, given=False)
    except NoCredentialsError:
        raise CannotStart(
            "no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as for the AWS CLI "
            "(for the embedded cloud: . .local/env)"
        ) from None
    except EndpointConnectionError as unreachable:
        raise CannotStart(f"AWS does not answer: {unreachable}; is the cloud of .local/env still running?") from None
    except ClientError as refused:
        told = refused.response.get("Error", {})
        raise CannotStart(f"AWS refuses these credentials: {told.get('Code')}: {told.get('Message')}") from None
    except BotoCoreError as problem:  # a profile that does not exist, half a pair of keys, an expired SSO session
        raise CannotStart(f"AWS credentials cannot be used: {problem}") from None


def embedded(session: Any, endpoint: str) -> Target:
    """The embedded cloud at `endpoint`, whatever this process's environment says."""
    return _of(session, endpoint, given=True)


def _of(session: Any, endpoint: str, *, given: bool) -> Target:
    identity = _client(session, "sts", endpoint if given else "").get_caller_identity()
    arn = str(identity["Arn"])
    return Target(session, str(identity["Account"]), session.region_name, arn.split(":")[1], arn, endpoint, given)


def _client(session: Any, service: str, endpoint: str) -> Any:
    if not endpoint:
        return session.client(service, config=_CONFIG)
    # No HTTP proxy may stand before an address of this machine.
    return session.client(service, config=_CONFIG.merge(Config(proxies={})), endpoint_url=endpoint)


def runtime() -> str:
    """Lambda's name of the Python that packages: Chalice takes the same, and bytecode has to fit it."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
