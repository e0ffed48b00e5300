"""Rolls environments in waves: all of a wave at once, the next wave when every one of the last has succeeded."""

import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ctl import exits
from ctl.client import Client
from ctl.environments import compare
from ctl.environments.compare import Difference
from ctl.environments.files import EnvironmentFile
from ctl.shapes import SecretView, StoredSecret
from ctl.signed import ApiError
from ctl.words import clean


@dataclass(frozen=True, slots=True)
class Change:
    """One environment to roll. document: the secret's fields that the file sets, with their values.

    stored: names and fingerprints of the stored secret, None when there is none or the control plane does not show it.
    """

    wanted: EnvironmentFile
    difference: Difference
    document: Mapping[str, Any]
    stored: SecretView | None


class SecretNotRolled(Exception):
    """The deployment of the new secret did not succeed; code: its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__("the settings were not rolled, since the new secret was not")
        self.code = code


@dataclass(frozen=True, slots=True)
class Run:
    """How an apply runs. follow: shows a deployment by its id to its end; its exit code.

    gate: asked before each wave but the first; False ends the run there.

    plans: the digest of the plan that an environment's deployment is held to, by its name.
    """

    client: Client
    reason: str | None
    waits: bool
    as_json: bool
    follow: Callable[[str], int]
    gate: Callable[[int], bool]
    plans: Mapping[str, str] = field(default_factory=dict)


def waves_of(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes by `order`, lowest first."""
    ordered = sorted(changes, key=lambda change: (change.wanted.order, change.wanted.name))
    return [list(wave) for _, wave in itertools.groupby(ordered, key=lambda change: change.wanted.order)]


def roll(changes: Sequence[Change], run: Run) -> int:
    """Roll every wave; the highest exit code of the wave that did not succeed, else 0."""
    waves = waves_of(changes)
    for index, wave in enumerate(waves):
        if index and not run.gate(wave[0].wanted.order):
            return _stop(waves[index:], exits.WAITING, "not confirmed")
        code = _roll_wave(wave, run)
        if code != exits.DONE:
            return _stop(waves[index + 1 :], code, "an environment of this wave did not succeed")
    return exits.DONE


def _stop(rest: Sequence[Sequence[Change]], code: int, why: str) -> int:
    names = [change.wanted.name for wave in rest for change in wave]
    if names:
        sys.stderr.write(f"proxyctl: {why}; not started: {', '.join(names)}\n")
    return code


def _roll_wave(wave: Sequence[Change], run: Run) -> int:
    """Start all of them, then follow one after the other. One that is refused does not keep the others from ending."""
    started: list[tuple[Change, str]] = []
    codes = [exits.DONE]
    for change in wave:
        try:
            started += [(change, deployment_id) for deployment_id in _begin(change, run)]
        except SecretNotRolled as failed:
            sys.stderr.write(f"proxyctl: {change.wanted.name}: {failed}\n")
            codes.append(failed.code)
        except ApiError as refusal:
            sys.stderr.write(f"proxyctl: {change.wanted.name}: {clean(refusal)}\n")
            codes.append(exits.of_error(refusal))
    for change, deployment_id in started:
        if not run.as_json:
            sys.stdout.write(f"{change.wanted.name}: {clean(deployment_id)}\n")
        codes.append(run.follow(deployment_id))
    return max(codes)


def _begin(change: Change, run: Run) -> list[str]:
    """Store the secret, then start the deployment; the id to follow.

    A control plane that rolls a new secret version by itself answers with the deployment that does so; that has to end
    before the environment takes another one. Raises SecretNotRolled.
    """
    stored = _store_secret(change, run.client) if change.difference.secret else {}
    rotation = stored.get("deployment")
    if rotation:
        if not change.difference.settings and not change.difference.is_new:
            return [rotation]
        code = run.follow(rotation)
        if code != exits.DONE:
            raise SecretNotRolled(code)
    body = compare.request(change.wanted, run.reason, waits=run.waits)
    if change.wanted.name in run.plans:
        body["options"]["expected_plan"] = run.plans[change.wanted.name]
    return [run.client.start(body)["id"]]


def _store_secret(change: Change, client: Client) -> StoredSecret:
    name, document, place = change.wanted.name, change.document, change.wanted.place
    if change.stored is None:
        # PUT replaces a secret as a whole; PATCH answers 404 when there is none.
        try:
            return client.patch_secret(name, _patch(change), place)
        except ApiError as error:
            if error.status != 404 or error.error.get("code") != "NotFound":
                raise
            return client.put_secret(name, {"models": {}, **document}, place)
    return client.patch_secret(name, _patch(change), place)


def _patch(change: Change) -> dict[str, Any]:
    """The fields that differ; and `schema` where one of them needs its newer version."""
    fields = {name: change.document[name] for name in change.difference.secret if name != "schema"}
    return fields | ({"schema": 2} if change.document.get("schema") == 2 else {})
