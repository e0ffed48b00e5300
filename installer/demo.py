"""`demo`: from a fresh clone to a chat answer through a proxy that the control plane rolled."""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ctl.client import ApiError, Client
from ctl.shapes import Deployment
from ctl.view import progress
from ctl.words import command
from installer import deploy, environment, target
from installer.errors import CannotStart, CommandFailed
from installer.packaging import control_plane, wheels
from installer.say import say, tell
from local import cloud, console, emulator, state, strict
from local.state import Cloud
from local.strict import Strict

ENVIRONMENT = "dev"
MODEL = "gpt-4o-mini"
MODELS = {name: {"target": name} for name in (MODEL, "text-embedding-3-small")}
# The stand-in accepts any key, and this proxy has no client keys: a placeholder that looks like a key.
STAND_IN_KEY = "sk-stand-in-0000000000000000000000000000000000000000"
ROLLOUT_LIMIT_S = 600.0
QUESTION = "In one sentence: what does a reverse proxy do?"


@dataclass(frozen=True)
class Rolled:
    """What the demo has rolled: the control API's URL, the proxy's base URL, the deployment's id."""

    api_url: str
    base_url: str
    deployment_id: str


def run(root: Path, folder: Path, port: int | None, switches: Strict = strict.OFF) -> int:
    """The whole way; 0 when the chat answer came. switches: how strict the cloud is.

    Raises CannotStart, CommandFailed.
    """
    began = time.monotonic()
    # Packaging needs no cloud and the cloud no package: the second core would idle otherwise.
    with ThreadPoolExecutor(max_workers=1) as beside:
        packaged = beside.submit(control_plane.build, root, root / ".local" / "build", wheels.this_machine())
        running = start_cloud(root, folder, port, switches)
        packaged.result()
    # Only the openai SDK reads it: calls to this machine must not go through an HTTP proxy.
    os.environ["NO_PROXY"] = "127.0.0.1"
    rolled = _roll_proxy(root, folder, running)
    answer = _chat(rolled.base_url)
    _write_environment(folder, running, rolled)
    address = _console(cloud.Site.of(root, folder), rolled)
    _print_summary(answer, rolled, address, time.monotonic() - began)
    return 0


def start_cloud(root: Path, folder: Path, port: int | None, switches: Strict) -> Cloud:
    """A running cloud; what becomes of one that ran before is said."""
    environment.ensure(root, environment.EMULATOR)
    began = time.monotonic()
    last = state.load(folder)
    if last and port not in (None, last.emulator_port) and cloud.is_healthy(last):
        tell(f"--port asks for another port: the cloud on port {last.emulator_port} ends, with all that it holds")
    elif last and not cloud.serves(last):
        tell("embedded cloud: the last one was killed or has crashed, and it keeps everything in memory:")
        tell("  its environments, deployments, secrets and records are gone, and the new one begins empty")
    elif last and last.switches != switches and cloud.is_healthy(last):
        tell(f"--strict differs from the last run: the cloud on port {last.emulator_port} ends, with all that it holds")
    try:
        running, reused = cloud.start(cloud.Site.of(root, folder), port, switches)
    except (cloud.PortTaken, cloud.OtherVersion) as refusal:
        raise CannotStart(str(refusal)) from None
    except cloud.CloudError as problem:
        raise CommandFailed(str(problem)) from None
    how = "already running" if reused else f"started in {time.monotonic() - began:.1f} s"
    tell(f"embedded cloud: {running.endpoint} ({how})")
    return running


def _roll_proxy(root: Path, folder: Path, running: Cloud) -> Rolled:
    """Deploy the control plane into the cloud, store the secret, roll the environment."""
    aws = target.embedded(emulator.session(running.region, running.operator), running.endpoint)
    # Directly: a change of the code is there in seconds, where an upgrade by itself asks each function first.
    way = deploy.Way(direct=True)
    outputs = deploy.explained(lambda: deploy.up(root, aws, running.faults_url, detail=_silent, way=way))
    client = Client(deploy.api_url(aws, outputs), aws.session, aws.region)
    try:
        _put_secret(client, running, folder)
        deployment = _roll(client)
        links = client.environment(ENVIRONMENT).get("links", {})
    except ApiError as error:
        raise CommandFailed(f"the control API refuses: {error.describe()}") from error
    if deployment["status"] != "SUCCEEDED":
        raise CommandFailed(f"deployment {deployment['id']}: {progress.failure(deployment)}")
    tell(f"{ENVIRONMENT}: {deployment.get('summary', '')}")
    return Rolled(client.url, links["base_url"], deployment["id"])


def secret_of(running: Cloud) -> dict[str, object]:
    """What the proxy needs to reach the stand-in (schema: docs/secret.md)."""
    return {
        "schema": 1,
        "api_key": STAND_IN_KEY,
        "base_url": running.upstream,
        "models": MODELS,
        # Short, because phase 8 waits for each of them to pass.
        "timeouts": {"connect_s": 2, "first_byte_s": 3, "idle_s": 2, "total_s": 25},
        "cors_origins": ["*"],
    }


def _put_secret(client: Client, running: Cloud, folder: Path) -> None:
    """Once per cloud and content: a new version of the same secret would make the next rollout more than a no-op."""
    secret = secret_of(running)
    text = json.dumps([running.token, secret], sort_keys=True)
    digest, note = hashlib.sha256(text.encode()).hexdigest(), folder / "secret-stored"
    if note.exists() and note.read_text() == digest and _exists(client):
        return
    stored = client.put_secret(ENVIRONMENT, secret, {"wait": "true"})
    if deployment := stored.get("deployment"):
        list(client.follow(deployment))  # the rollout that comes next would find the environment busy
    state.write_private(note, digest)


def _exists(client: Client) -> bool:
    """False when the environment was never created, or removed since, perhaps with its secret."""
    try:
        return client.environment(ENVIRONMENT).get("status") != "REMOVED"
    except ApiError as error:
        if error.status == 404:
            return False
        raise


def _roll(client: Client) -> Deployment:
    """Start a deployment and follow it, after the end of one that a killed demo left running."""
    deadline = time.monotonic() + ROLLOUT_LIMIT_S
    while True:
        try:
            started = client.start({"environment": ENVIRONMENT, "action": "deploy"})
            break
        except ApiError as error:
            holder = error.error.get("holder")
            if error.status != 409 or not holder or time.monotonic() > deadline:
                raise
            tell(f"  {ENVIRONMENT} is locked by {holder}, which an earlier run started: waiting for it")
            _follow(client, holder)
            time.sleep(1)  # the lock is released right after the record says that it has ended
    return _follow(client, started["id"])


def _follow(client: Client, deployment_id: str) -> Deployment:
    try:
        return progress.watch(client.follow(deployment_id, ROLLOUT_LIMIT_S))
    except TimeoutError as late:
        raise CommandFailed(f"{late}; see python3 -m ctl show {deployment_id}") from None


def _chat(base_url: str) -> str:
    from openai import OpenAI, OpenAIError  # its import takes half a second, which other commands need not spend

    try:
        with OpenAI(base_url=base_url, api_key=STAND_IN_KEY, timeout=30, max_retries=2) as openai:
            reply = openai.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": QUESTION}])
    except OpenAIError as error:
        raise CommandFailed(f"the chat call through {base_url} failed: {type(error).__name__}: {error}") from error
    answer = reply.choices[0].message.content
    if not answer:
        raise CommandFailed(f"the chat call through {base_url} returned no text: {reply.choices[0].finish_reason}")
    return answer


def _write_environment(folder: Path, running: Cloud, rolled: Rolled) -> None:
    variables: Mapping[str, str] = running.variables() | {
        "CONTROL_API_URL": rolled.api_url,
        "PROXY_BASE_URL": rolled.base_url,
        "PROXY_API_KEY": STAND_IN_KEY,
        "STAND_IN_URL": running.upstream,
    }
    # A profile or a session token of the shell would override, or invalidate, the keys.
    head = "unset AWS_PROFILE AWS_SESSION_TOKEN\n"
    state.write_private(folder / "env", head + state.export_lines(variables))


def _console(site: cloud.Site, rolled: Rolled) -> str:
    try:
        return console.ensure(site, rolled.api_url)
    except cloud.CloudError as problem:
        raise CommandFailed(str(problem)) from None


def _silent(_line: str) -> None:
    """The demo does not show how long each step of an installation takes."""


def _print_summary(answer: str, rolled: Rolled, address: str, seconds: float) -> None:
    say(f"answer    {answer}")
    say(f"base URL  {rolled.base_url}")
    say(f"console   {address}")
    say(f"took      {seconds:.0f} s; next: . .local/env; {command()} environments {ENVIRONMENT}; make stop ends it all")
