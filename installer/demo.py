"""`demo`: from a fresh clone to a chat answer through a proxy that the control plane rolled."""

import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ctl import progress
from ctl.client import ApiError, Client
from installer import deploy, environment, target
from installer.errors import CannotStart, CommandFailed
from installer.packaging import control_plane, wheels
from installer.say import say, tell
from local import cloud, emulator, state
from local.state import Cloud

ENVIRONMENT = "dev"
MODEL = "gpt-4o-mini"
# The proxy asks no key of its own here, and the stand-in takes any: what is stored is a placeholder by its looks.
STAND_IN_KEY = "sk-stand-in-0000000000000000000000000000000000000000"
ROLLOUT_LIMIT_S = 600.0
QUESTION = "In one sentence: what does a reverse proxy do?"


def run(root: Path, folder: Path, port: int | None) -> int:
    """The whole way; 0 when the chat answer came. Raises CannotStart, CommandFailed."""
    began = time.monotonic()
    # Packaging needs no cloud and the cloud no package: the second core would idle otherwise.
    with ThreadPoolExecutor(max_workers=1) as beside:
        packaged = beside.submit(control_plane.build, root, root / ".local" / "build", wheels.this_machine())
        running = _cloud(root, folder, port)
        packaged.result()
    # Only the openai SDK reads it: no HTTP proxy may stand before this machine.
    os.environ["NO_PROXY"] = "127.0.0.1"
    session = emulator.session(running.region, running.operator)
    aws = target.embedded(session, running.endpoint)
    tell("2/5 control plane")
    outputs = deploy.explained(lambda: deploy.up(root, aws, running.faults_url))
    url = deploy.api_url(aws, outputs)
    client = Client(url, aws.session, aws.region)
    try:
        tell("3/5 the stand-in's key into Secrets Manager")
        _put_secret(client, running, folder)
        tell("4/5 rollout")
        deployment = _roll(client)
        links = client.environment(ENVIRONMENT).get("links") or {}
    except ApiError as error:
        raise CommandFailed(f"the control API says {error.told()}") from error
    if deployment["status"] != "SUCCEEDED":
        raise CommandFailed(f"deployment {deployment['id']}: {progress.failure(deployment)}")
    base_url = str(links["base_url"])
    tell("5/5 one chat call with the openai SDK")
    answer = _chat(base_url)
    _write_environment(folder, running, url, base_url)
    _farewell(answer, base_url, url, str(deployment["id"]), time.monotonic() - began)
    return 0


def _cloud(root: Path, folder: Path, port: int | None) -> Cloud:
    environment.ensure(root, environment.EMULATOR)
    began = time.monotonic()
    last = state.load(folder)
    if last and port not in (None, last.emulator_port) and cloud.is_well(last):
        tell(f"the cloud on port {last.emulator_port} is ended, and what was deployed in it: --port asks for another")
    try:
        running, reused = cloud.start(cloud.Site.of(root, folder), port)
    except cloud.PortTaken as taken:
        raise CannotStart(str(taken)) from None
    except cloud.CloudError as problem:
        raise CommandFailed(str(problem)) from None
    how = "already running" if reused else f"started in {time.monotonic() - began:.1f} s"
    tell(f"1/5 embedded cloud: {running.endpoint} ({how})")
    return running


def secret_of(running: Cloud) -> dict[str, Any]:
    """What the proxy needs to reach the stand-in (schema: docs/secret.md)."""
    return {
        "schema": 1,
        "api_key": STAND_IN_KEY,
        "base_url": running.upstream,
        "models": {MODEL: {"target": MODEL}, "text-embedding-3-small": {"target": "text-embedding-3-small"}},
        # Short enough for phase 8 to wait for them.
        "timeouts": {"connect_s": 2, "first_byte_s": 3, "idle_s": 2, "total_s": 25},
        "cors_origins": ["*"],
    }


def _put_secret(client: Client, running: Cloud, folder: Path) -> None:
    """Once per cloud and content: a new version of the same secret would make the next rollout more than a no-op."""
    secret = secret_of(running)
    text = json.dumps([running.token, secret], sort_keys=True)
    digest, note = hashlib.sha256(text.encode()).hexdigest(), folder / "secret-stored"
    if note.exists() and note.read_text() == digest and _stands(client):
        return
    client.put_secret(ENVIRONMENT, secret)
    state.write_private(note, digest)


def _stands(client: Client) -> bool:
    """Whether the environment was made and not removed since, perhaps with its secret."""
    try:
        return str(client.environment(ENVIRONMENT)["status"]) != "REMOVED"
    except ApiError as error:
        if error.status == 404:
            return False
        raise


def _roll(client: Client) -> dict[str, Any]:
    """Start a deployment and follow it; one that a killed demo left running is followed to its end first."""
    deadline = time.monotonic() + ROLLOUT_LIMIT_S
    while True:
        try:
            started = client.start({"environment": ENVIRONMENT, "action": "deploy"})
            break
        except ApiError as error:
            holder = error.error.get("holder")
            if error.status != 409 or not holder or time.monotonic() > deadline:
                raise
            tell(f"  {ENVIRONMENT} is busy with {holder}, which an earlier run started: waiting for it")
            _follow(client, str(holder))
            time.sleep(1)  # the lock is released right after the record says that it has ended
    return _follow(client, str(started["id"]))


def _follow(client: Client, deployment_id: str) -> dict[str, Any]:
    try:
        return progress.watch(client.follow(deployment_id, ROLLOUT_LIMIT_S))
    except TimeoutError as late:
        raise CommandFailed(f"{late}; python3 -m ctl show {deployment_id} tells where it stands") from None


def _chat(base_url: str) -> str:
    from openai import OpenAI, OpenAIError  # half a second that the other commands need not pay

    try:
        with OpenAI(base_url=base_url, api_key=STAND_IN_KEY, timeout=30, max_retries=2) as openai:
            reply = openai.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": QUESTION}])
    except OpenAIError as error:
        raise CommandFailed(f"the chat call through {base_url} failed: {type(error).__name__}: {error}") from error
    answer = reply.choices[0].message.content
    if not answer:
        raise CommandFailed(f"the chat call through {base_url} brought no text: {reply.choices[0].finish_reason}")
    return answer


def _write_environment(folder: Path, running: Cloud, url: str, base_url: str) -> None:
    variables = running.variables() | {
        "CONTROL_API_URL": url,
        "PROXY_BASE_URL": base_url,
        "PROXY_API_KEY": STAND_IN_KEY,
    }
    # A profile or a session token of the shell would win over, or spoil, the keys.
    head = "unset AWS_PROFILE AWS_SESSION_TOKEN\n"
    state.write_private(folder / "env", head + state.export_lines(variables))


def _farewell(answer: str, base_url: str, url: str, deployment_id: str, seconds: float) -> None:
    say()
    say(f"question  {QUESTION}")
    say(f"answer    {answer}")
    say(f"base URL  {base_url}")
    say(f"API       {url}")
    say(f"took      {seconds:.0f} s")
    say()
    say("Next:")
    say("  . .local/env                                        # this cloud's variables for your shell")
    say(f"  .venv/bin/python -m ctl show {deployment_id}   # every phase; --json: with its evidence")
    say(f"  .venv/bin/python -m ctl deploy {ENVIRONMENT}                  # again: a no-op that says so")
    say("(make stop ends the cloud)")
