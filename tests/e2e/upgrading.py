"""Releases for the tests of self-upgrades: this checkout's package with a change, uploaded as `upgrade` does it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import psutil
from chalicelib.upgrade import manifest
from chalicelib.upgrade.releases import read

from installer import bucket, deploy
from installer.check import ROOT
from installer.packaging import bundle, control_plane, releases
from installer.upgrades import upgrade
from tests.e2e.holding import record, workers
from tests.e2e.rolling import Embedded, ended, until

STEPS = ("plan_upgrade", "stage_upgrade", "test_upgrade", "promote_upgrade", "verify_upgrade")
Change = Callable[[dict[str, Any]], None]


def marked(text: str) -> Change:
    """A release that differs in a description only."""
    return lambda template: template.update(Description=text)


def uploaded(embedded: Embedded, change: Change, **fields: object) -> str:
    """The manifest's key of a release. fields: of its manifest that differ from this checkout's."""
    packaged = _changed(embedded, change)
    bundled = bundle.build(ROOT, ROOT / ".local" / "build")
    installed = deploy.installed_stack(embedded.aws)
    version = {"Version": str(fields["version"])} if "version" in fields else {}
    parameters = deploy.parameters_of(embedded.aws, bundled, None, installed) | version
    release = releases.of(embedded.aws, packaged, parameters, installed)
    for key, content in packaged.code.items():
        bucket.upload(embedded.aws, key, content)
    key = upgrade.upload(embedded.aws, packaged, release)
    return _with(embedded, key, fields) if fields else key


def _changed(embedded: Embedded, change: Change) -> control_plane.Package:
    packaged = control_plane.build(ROOT, ROOT / ".local" / "build", embedded.aws.platform)
    template: Any = copy.deepcopy(packaged.template)
    change(template)
    return dataclasses.replace(packaged, template=template)


def _with(embedded: Embedded, key: str, fields: Mapping[str, object]) -> str:
    storage, name = embedded.boto("s3"), embedded.aws.bucket
    content = storage.get_object(Bucket=name, Key=key)["Body"].read()
    text = upgrade.text_of(dataclasses.replace(read(key, content), **fields))  # type: ignore[arg-type]
    bucket.upload(embedded.aws, manifest.key_of(text), text)
    return manifest.key_of(text)


def begin(embedded: Embedded, bundle_key: str, **more: Any) -> str:
    """The id of the upgrade."""
    status, body = embedded.call("POST", "/deployments", {"target": "controlplane", "bundle": bundle_key, **more})
    assert status == 202, body
    return str(body["id"])


def upgraded(embedded: Embedded, change: Change, **fields: object) -> dict[str, Any]:
    """An upgrade at its end, the control plane free for the next."""
    answer = ended(embedded, begin(embedded, uploaded(embedded, change, **fields), force="version" in fields))
    free(embedded)
    return answer


def free(embedded: Embedded) -> None:
    until("the control plane is free", lambda: not embedded.client.environment("controlplane").get("lock"), 120.0)


def reached(embedded: Embedded, deployment_id: str, step: str) -> None:
    """Return while that step of the upgrade runs, or at the end of one that was too short to be seen."""
    until(f"{step} begins", lambda: record(embedded, deployment_id, step).get("status"), 240.0)


def kill_its_lambda(embedded: Embedded) -> None:
    """SIGKILL for every process that runs the Lambda `Upgrade`."""
    for process in workers(embedded, embedded.function("Upgrade")):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def lambdas_of(embedded: Embedded, execution_arn: str) -> dict[str, str]:
    """The Lambda of each state that an execution has called, with its version, by its history."""
    pages = embedded.boto("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    called, state = {}, ""
    for event in (event for page in pages for event in page["events"]):
        state = event.get("stateEnteredEventDetails", {}).get("name", state)
        resource = event.get("taskScheduledEventDetails", {}).get("resource", "")
        if ":function:" in resource:
            called[state] = resource
    return called


def live_versions(embedded: Embedded) -> dict[str, str]:
    """The version behind `live` of every function of the control plane, by physical name."""
    functions = embedded.boto("lambda")
    resources = embedded.boto("cloudformation").get_paginator("list_stack_resources").paginate(StackName="proxyctl")
    names = [
        each["PhysicalResourceId"]
        for page in resources
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::Lambda::Function"
    ]
    return {name: functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in names}


def stack(embedded: Embedded) -> dict[str, str]:
    """Parameters of the control plane's stack."""
    installed = deploy.installed_stack(embedded.aws)
    assert installed is not None
    return dict(installed.parameters)
