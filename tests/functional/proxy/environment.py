"""One Lambda environment for tests: the artifact's bootstrap in a process, and the stand-ins that it talks to."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.functional.proxy.rig import secret
from tests.functional.proxy.runtime_standin import RuntimeStandIn

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:proxyctl/dev/openai-AbCdEf"


class SecretsStandIn(http.server.ThreadingHTTPServer):
    """Answers GetSecretValue; `answers` are (status, body) used up in order, the last one for ever."""

    daemon_threads = True

    def __init__(self, answers: list[tuple[int, dict[str, Any]]]) -> None:
        self.answers = answers
        self.requests: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _SecretsHandler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _SecretsHandler(http.server.BaseHTTPRequestHandler):
    server: SecretsStandIn

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
        answers = self.server.answers
        status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        return


def secret_answer(base_url: str, **changes: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"SecretString": json.dumps(secret(base_url, **changes)), "VersionId": "v1", "Name": "x"}


class Environment:
    """One Lambda environment: stand-ins and the process that `bootstrap` starts."""

    def __init__(
        self,
        folder: Path,
        answers: list[tuple[int, dict[str, Any]]],
        mode: str,
        *,
        command: list[str] | None = None,
        **extra: str,
    ) -> None:
        self.runtime = RuntimeStandIn()
        self.secrets = SecretsStandIn(answers)
        variables = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "AWS_LAMBDA_RUNTIME_API": self.runtime.address,
            "LAMBDA_TASK_ROOT": str(folder),
            "AWS_ENDPOINT_URL": self.secrets.url,
            "AWS_ACCESS_KEY_ID": "AKIA",
            "AWS_SECRET_ACCESS_KEY": "key",
            "AWS_SESSION_TOKEN": "token",
            "SECRET_ARN": ARN,
            "ENVIRONMENT_NAME": "dev",
            "RESPONSE_MODE": mode,
            "SECRET_TTL_S": "300",
            **extra,
        }
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  (a pipe that nobody reads would fill and stop the process; `end` closes it)
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            command or [str(folder / "bootstrap"), sys.executable, "/var/runtime/bootstrap.py"],
            cwd=folder,
            env={name: value for name, value in variables.items() if value},
            stdout=self.log,
        )

    def ready(self) -> Environment:
        assert self.runtime.polls.acquire(timeout=20), "the loop did not ask for an invocation"
        return self

    def end(self) -> tuple[int, list[dict[str, Any]]]:
        """Take the environment down; (exit code, the lines it logged)."""
        self.runtime.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.secrets.shutdown()
        self.secrets.server_close()
        with self.log:
            self.log.seek(0)
            return self.process.returncode, [json.loads(line) for line in self.log]
