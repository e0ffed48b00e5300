"""The AWS that a command works on, and as whom: an account, or the embedded cloud."""

import os
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

from boto3.session import Session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from installer.errors import CannotStart
from installer.packaging import wheels

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)


@dataclass(frozen=True)
class Target:
    """One account and region. endpoint: "" on AWS itself. explicit: the endpoint comes from the caller, not from the
    process environment, where boto3 would read it. bucket_name: of the customer's own bucket, "" for ours."""

    session: Session
    account: str
    region: str
    partition: str
    caller: str
    endpoint: str
    explicit: bool = False
    bucket_name: str = ""

    @property
    def embedded(self) -> bool:
        """Whether Lambdas run on this machine."""
        return urlsplit(self.endpoint).hostname in _LOOPBACK

    @property
    def bucket(self) -> str:
        """The bucket of the control plane, or of a target."""
        return self.bucket_name or self.own_bucket

    @property
    def own_bucket(self) -> str:
        """The name of the bucket that the installer makes."""
        return f"proxyctl-{self.account}-{self.region}"

    @property
    def is_adopted(self) -> bool:
        """Whether the bucket is the customer's own."""
        return self.bucket != self.own_bucket

    @property
    def platform(self) -> wheels.Platform:
        """Where the control plane's Lambdas run."""
        return wheels.this_machine() if self.embedded else wheels.LAMBDA_ARM64

    @property
    def domain(self) -> str:
        """The end of host names in this partition."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def client(self, service: str) -> BaseClient:
        """A boto3 client with endpoint and credentials as the AWS CLI resolves them, or as the caller set them."""
        return _client(self.session, service, self.endpoint if self.explicit else "")

    def api_url(self, api_id: str, stage: str) -> str:
        """The URL of an API Gateway stage."""
        if self.embedded:
            return f"{self.endpoint}/_aws/execute-api/{api_id}/{stage}"
        return f"https://{api_id}.execute-api.{self.region}.{self.domain}/{stage}"

    def object_url(self, key: str) -> str:
        """The URL of an object in the control plane's bucket, as CloudFormation reads templates."""
        if self.embedded:
            return f"{self.endpoint}/{self.bucket}/{key}"
        return f"https://{self.bucket}.s3.{self.region}.{self.domain}/{key}"


def find() -> Target:
    """The target that the process environment names. Raises CannotStart saying what is missing or wrong."""
    endpoint = _endpoint(os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/"))
    try:
        session = Session(region_name=os.environ.get("AWS_REGION"))  # the AWS CLI reads it, boto3 does not
        if not session.region_name:
            raise CannotStart("no AWS region; set AWS_REGION (or AWS_DEFAULT_REGION, or a profile that has one)")
        return _identify(session, endpoint, explicit=False)
    except (BotoCoreError, ClientError, ValueError) as problem:  # ValueError: an endpoint that botocore cannot parse
        raise CannotStart(_cause(problem)) from None


def _endpoint(url: str) -> str:
    if url and not _is_url(url):
        raise CannotStart(f"AWS_ENDPOINT_URL is {url!r}, which is not a URL; unset it to use AWS itself")
    return url


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and " " not in text


def _cause(problem: Exception) -> str:
    if isinstance(problem, NoCredentialsError):
        return (
            "no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as for the AWS CLI "
            "(for the embedded cloud: . .local/env)"
        )
    if isinstance(problem, EndpointConnectionError):
        return f"AWS does not answer: {problem}; is the cloud of .local/env still running?"
    if isinstance(problem, ClientError):
        error = problem.response.get("Error", {})
        return f"AWS refuses these credentials: {error.get('Code')}: {error.get('Message')}"
    # A profile that does not exist, half a pair of keys, an expired SSO session.
    return f"cannot use this AWS configuration: {problem}"


def embedded(session: Session, endpoint: str) -> Target:
    """The embedded cloud at `endpoint`, whatever the process environment says."""
    return _identify(session, endpoint, explicit=True)


def _identify(session: Session, endpoint: str, *, explicit: bool) -> Target:
    identity = _client(session, "sts", endpoint if explicit else "").get_caller_identity()
    arn = str(identity["Arn"])
    account, partition = str(identity["Account"]), arn.split(":")[1]
    return Target(session, account, str(session.region_name), partition, arn, endpoint, explicit)


def _client(session: Session, service: str, endpoint: str) -> BaseClient:
    if not endpoint:
        return session.client(service, config=_CONFIG)
    # Calls to this machine must not go through the HTTP proxy that the environment may name.
    return session.client(service, config=_CONFIG.merge(Config(proxies={})), endpoint_url=endpoint)


def runtime() -> str:
    """Lambda's name of the Python that packages: Chalice takes the same, and bytecode has to fit it."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
