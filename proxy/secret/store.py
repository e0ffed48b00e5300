"""Where the secret's text comes from: Secrets Manager, or on a developer's machine a file or a variable.

One signed POST over a socket instead of boto3: `boto3.client("secretsmanager")` alone costs about 200 ms
of a cold start (decision 102). The credentials are the ones that Lambda puts into the environment.
"""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from proxy import tls
from proxy.http.client import exchange
from proxy.secret.sigv4 import Credentials, sign_post

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT_S = 5.0
ATTEMPTS = 3
CURRENT = "AWSCURRENT"
# The version that a rollout checks before users get it; requests on the candidate's path read it where there is one.
PENDING = "PROXYCTL_PENDING"


class SecretUnreadable(Exception):
    """The secret's text could not be had; the message says why and never holds any of it."""


class StageMissing(SecretUnreadable):
    """The secret, or its version with this staging label, does not exist."""


class SecretStore(Protocol):
    """Gives the secret's current text and its version id."""

    def read(self) -> tuple[str, str]:
        """(text, version id). Raises SecretUnreadable."""
        ...


class SecretsManager:
    """Reads one secret with GetSecretValue (API version 2017-10-17)."""

    def __init__(
        self,
        arn: str,
        env: Mapping[str, str],
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        stages: tuple[str, ...] = (CURRENT,),
    ) -> None:
        """`stages`: staging labels; the first that the secret has is read."""
        self._arn = arn
        self._env = env
        self._stages = stages
        self._wall = wall
        self._sleep = sleep
        self._region = _region(arn, env)
        url = env.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or env.get("AWS_ENDPOINT_URL") or _endpoint(self._region)
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.netloc
        self._name, self._port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)

    def read(self) -> tuple[str, str]:
        """GetSecretValue of the first stage that exists; see `_read`."""
        for stage in self._stages[:-1]:
            try:
                return self._read(stage)
            except StageMissing:
                continue
        return self._read(self._stages[-1])

    def _read(self, stage: str) -> tuple[str, str]:
        """One GetSecretValue, with two more attempts where AWS asks for them (throttling, 5xx, no connection)."""
        failure = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(0.1 * 2**attempt)
            try:
                status, body = self._post(stage)
            except OSError as error:
                failure = f"{type(error).__name__} while reading the secret from {self._host}"
                continue
            if status == 200:
                return _secret_of(body)
            code = _error_code(body)
            failure = f"Secrets Manager answered {status} {code}"
            if code == "ResourceNotFoundException":
                raise StageMissing(failure)
            if status < 500 and "Throttling" not in failure and "TooManyRequests" not in failure:
                break
        raise SecretUnreadable(failure)

    def _post(self, stage: str) -> tuple[int, bytes]:
        body = json.dumps({"SecretId": self._arn, "VersionStage": stage}).encode()
        credentials = Credentials(
            self._env.get("AWS_ACCESS_KEY_ID", ""),
            self._env.get("AWS_SECRET_ACCESS_KEY", ""),
            self._env.get("AWS_SESSION_TOKEN", ""),
        )
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "secretsmanager.GetSecretValue",
        }
        signed = sign_post(
            credentials,
            region=self._region,
            service="secretsmanager",
            host=self._host,
            headers=headers,
            body=body,
            now=self._wall(),
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        head = f"POST / HTTP/1.1\r\n{lines}content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        with self._connect() as sock:
            answer = exchange(sock, head.encode("latin-1") + body, "POST")
        return answer.status, answer.body

    def _connect(self) -> socket.socket:
        sock = socket.create_connection((self._name, self._port), TIMEOUT_S)
        if self._scheme != "https":
            return sock
        try:
            return tls.context().wrap_socket(sock, server_hostname=self._name)
        except BaseException:
            sock.close()
            raise


class TextStore:
    """The secret from a function that returns its text: a file or a variable of a developer's machine."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    def read(self) -> tuple[str, str]:
        """(text, "local"). Raises SecretUnreadable."""
        try:
            return self._read(), "local"
        except OSError as error:
            raise SecretUnreadable(f"{error.filename}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SecretUnreadable("the secret is not UTF-8 text") from None


def _region(arn: str, env: Mapping[str, str]) -> str:
    parts = arn.split(":")
    if len(parts) > 3 and parts[3]:
        return parts[3]
    return env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"


def _endpoint(region: str) -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://secretsmanager.{region}.{suffix}"


def _secret_of(body: bytes) -> tuple[str, str]:
    try:
        answer = json.loads(body)
        return str(answer["SecretString"]), str(answer["VersionId"])
    except (ValueError, KeyError, TypeError):
        raise SecretUnreadable("the secret has no SecretString: store it as text, not as binary") from None


def _error_code(body: bytes) -> str:
    try:
        return str(json.loads(body).get("__type", "")).rpartition("#")[2]
    except (ValueError, AttributeError):
        return "without an AWS error code"
