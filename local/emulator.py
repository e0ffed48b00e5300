"""MiniStack: AWS on one port of 127.0.0.1, with IAM and SigV4 enforced."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from local.processes import TOKEN_VARIABLE
from local.state import Keys

OPERATOR = "proxyctl-operator"
_ADMIN = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
# Certificates and locale are the machine's business; every other variable of the caller stays outside.
_INHERITED = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


def command(python: Path) -> list[str]:
    """How MiniStack is started."""
    return [str(python), "-m", "ministack"]


def variables(
    python: Path,
    folder: Path,
    token: str,
    port: int,
    region: str,
    account: str,
    root: Keys,
    outer: Mapping[str, str],
) -> dict[str, str]:
    """The emulator's whole environment, made from nothing: its Lambdas inherit it.

    `python` is the emulator's own interpreter: first on PATH, since a `provided` bootstrap looks for python3 there.
    PYTHONDONTWRITEBYTECODE is left out, so that the emulator itself starts from .pyc files the second time.
    """
    kept = {name: outer[name] for name in _INHERITED if name in outer}
    return kept | {
        TOKEN_VARIABLE: token,
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "STATE_DIR": str(folder / "tmp" / "state"),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
        "MINISTACK_ACCOUNT_ID": account,
        "MINISTACK_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "LAMBDA_EXECUTOR": "local",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "INFO",
    }


def session(region: str, keys: Keys) -> Any:
    """A boto3 session with these keys that reads no profile and no file of the person who runs it."""
    nothing = (None, None, os.devnull, None)
    variables = {"profile": (None, None, None, None), "config_file": nothing, "credentials_file": nothing}
    return boto3.session.Session(
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        region_name=region,
        botocore_session=botocore.session.Session(session_vars=variables),
    )


def client(service: str, endpoint: str, region: str, keys: Keys, timeout_s: float = 30) -> Any:
    """A client of the embedded cloud; no HTTP proxy may stand before 127.0.0.1."""
    config = Config(
        connect_timeout=5, read_timeout=timeout_s, retries={"mode": "standard", "max_attempts": 3}, proxies={}
    )
    return session(region, keys).client(service, endpoint_url=endpoint, config=config)


def create_operator(endpoint: str, region: str, root: Keys) -> Keys:
    """An IAM user to work as: root would pass by IAM, and what IAM refuses to a person would go unseen."""
    iam = client("iam", endpoint, region, root)
    iam.create_user(UserName=OPERATOR, Tags=[{"Key": "proxyctl:owner", "Value": "proxyctl"}])
    iam.put_user_policy(UserName=OPERATOR, PolicyName="administrator", PolicyDocument=_ADMIN)
    made = iam.create_access_key(UserName=OPERATOR)["AccessKey"]
    return Keys(str(made["AccessKeyId"]), str(made["SecretAccessKey"]))
