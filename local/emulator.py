"""MiniStack: AWS on one port of 127.0.0.1, with IAM and SigV4 enforced."""

import os
from collections.abc import Mapping
from pathlib import Path

import botocore.session
from boto3.session import Session
from botocore.client import BaseClient
from botocore.config import Config

from local import strict
from local.processes import TOKEN_VARIABLE
from local.state import Cloud, Keys

CALLS_FILE = "PROXYCTL_CALLS_FILE"
EVERY_CALL = "PROXYCTL_EVERY_CALL"
OPERATOR = "proxyctl-operator"
_ADMIN = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
# Certificates and locale belong to the machine; no other variable of the caller is inherited.
_INHERITED = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


def command(python: Path, checkout: Path) -> list[str]:
    """The command that starts MiniStack with the corrections of `local/inside`.

    checkout: is on the interpreter's path while those are imported, and off it before a Lambda runs.
    """
    entry = "import sys; sys.path.insert(0, sys.argv[1]); from local.inside.start import main; main()"
    return [str(python), "-c", entry, str(checkout)]


def variables(python: Path, folder: Path, cloud: Cloud, outer: Mapping[str, str]) -> dict[str, str]:
    """The emulator's whole environment, built from nothing because its Lambdas inherit it.

    python: the emulator's own interpreter; first on PATH, since a `provided` bootstrap looks for python3 there.
    PYTHONDONTWRITEBYTECODE is left out, so that the emulator itself starts from .pyc files the second time.
    """
    inherited = {name: outer[name] for name in _INHERITED if name in outer}
    return (
        _recording(outer) | inherited | _process(python, folder, cloud.token) | _aws(cloud) | _settings(folder, cloud)
    )


def _recording(outer: Mapping[str, str]) -> dict[str, str]:
    """For a test session that wants every call of the Lambdas written down, see `recording/sitecustomize.py`."""
    if CALLS_FILE not in outer:
        return {}
    every = {EVERY_CALL: outer[EVERY_CALL]} if EVERY_CALL in outer else {}
    folder = Path(__file__).resolve().parent / "recording"
    return every | {CALLS_FILE: outer[CALLS_FILE], "PYTHONPATH": str(folder)}


def _process(python: Path, folder: Path, token: str) -> dict[str, str]:
    return {
        TOKEN_VARIABLE: token,
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
    }


def _aws(cloud: Cloud) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": cloud.root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": cloud.root.secret_access_key,
        "AWS_DEFAULT_REGION": cloud.region,
    }


def _settings(folder: Path, cloud: Cloud) -> dict[str, str]:
    limit = cloud.switches.concurrent_executions
    limited = {"LAMBDA_ACCOUNT_CONCURRENCY": str(limit)} if limit else {}
    return limited | {
        strict.VARIABLE: cloud.switches.encode(),
        "STATE_DIR": str(folder / "tmp" / "state"),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(cloud.emulator_port),
        "MINISTACK_ACCOUNT_ID": cloud.account,
        "MINISTACK_REGION": cloud.region,
        "LAMBDA_EXECUTOR": "local",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "INFO",
    }


def session(region: str, keys: Keys) -> Session:
    """A boto3 session with these keys that reads no profile and no file of the user."""
    nothing = (None, None, os.devnull, None)
    variables = {"profile": (None, None, None, None), "config_file": nothing, "credentials_file": nothing}
    return Session(
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        region_name=region,
        botocore_session=botocore.session.Session(session_vars=variables),
    )


def client(service: str, endpoint: str, region: str, keys: Keys, timeout_s: float = 30) -> BaseClient:
    """A client of the embedded cloud, without the HTTP proxy that the environment may name."""
    config = Config(
        connect_timeout=5, read_timeout=timeout_s, retries={"mode": "standard", "max_attempts": 3}, proxies={}
    )
    return session(region, keys).client(service, endpoint_url=endpoint, config=config)


def create_operator(endpoint: str, region: str, root: Keys) -> Keys:
    """Create the IAM user that the demo and the tests work as: IAM never refuses root anything."""
    iam = client("iam", endpoint, region, root)
    iam.create_user(UserName=OPERATOR, Tags=[{"Key": "proxyctl:owner", "Value": "proxyctl"}])
    iam.put_user_policy(UserName=OPERATOR, PolicyName="administrator", PolicyDocument=_ADMIN)
    pair = iam.create_access_key(UserName=OPERATOR)["AccessKey"]
    return Keys(str(pair["AccessKeyId"]), str(pair["SecretAccessKey"]))
