"""Accounts and regions of one embedded cloud, and all that AWS has of an environment there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from installer.target import Target

_OF_ALARM = ("AlarmName", "Threshold", "AlarmActions", "Dimensions", "Metrics", "ActionsEnabled")
_OF_SECRET = ("VersionId", "VersionStages", "CreatedDate")
_OF_STACK = ("StackStatus", "LastUpdatedTime", "Parameters", "Outputs")
_OF_VERSION = ("Version", "CodeSha256", "LastModified")


@dataclass(frozen=True)
class Site:
    """An account and region, and the environments that live there. block: config.target, None at home."""

    aws: Target
    block: dict[str, str] | None
    environments: Sequence[str]

    @property
    def config(self) -> dict[str, Any]:
        """What the configuration of a new environment says of its place."""
        return {"target": self.block} if self.block else {}

    @property
    def query(self) -> dict[str, str]:
        """The query with which a new environment's secret is stored here."""
        return {"target": json.dumps(self.block)} if self.block else {}

    def versions(self, environment: str) -> dict[str, str]:
        """Which version each alias of the proxy is on."""
        aliases = self.aws.client("lambda").list_aliases(FunctionName=f"proxyctl-{environment}-proxy")["Aliases"]
        return {alias["Name"]: alias["FunctionVersion"] for alias in aliases}

    def state(self, environment: str) -> dict[str, Any]:
        """All that AWS has of an environment and that a deployment could change; nothing that changes by itself."""
        return {
            **self._of_function(f"proxyctl-{environment}-proxy"),
            **self._of_stack(f"proxyctl-env-{environment}"),
            "secret": self._of_secret(f"proxyctl/{environment}/openai"),
            "stages": self._stages(environment),
            "alarms": self._alarms(environment),
        }

    def _of_function(self, name: str) -> dict[str, Any]:
        functions = self.aws.client("lambda")
        versions = functions.list_versions_by_function(FunctionName=name)["Versions"]
        return {
            "aliases": functions.list_aliases(FunctionName=name)["Aliases"],
            "versions": [_part(version, _OF_VERSION) for version in versions],
            "settings": functions.get_function_configuration(FunctionName=name).get("Environment"),
        }

    def _of_stack(self, name: str) -> dict[str, Any]:
        formation = self.aws.client("cloudformation")
        events = formation.describe_stack_events(StackName=name)["StackEvents"]
        described = formation.describe_stacks(StackName=name)["Stacks"][0]
        return {"stack": _part(described, _OF_STACK), "events": [event["EventId"] for event in events]}

    def _of_secret(self, name: str) -> list[dict[str, Any]]:
        listed = self.aws.client("secretsmanager").list_secret_version_ids(SecretId=name)["Versions"]
        return [_part(version, _OF_SECRET) for version in listed]

    def _stages(self, environment: str) -> list[Any]:
        gateway = self.aws.client("apigateway")
        apis = [api for api in gateway.get_rest_apis(limit=500)["items"] if f"-{environment}-" in f"{api['name']}-"]
        assert apis, f"{environment} has an API"
        return [gateway.get_stages(restApiId=api["id"])["item"] for api in apis]

    def _alarms(self, environment: str) -> list[dict[str, Any]]:
        listed = self.aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"proxyctl/{environment}/")
        return [_part(alarm, _OF_ALARM) for alarm in listed["MetricAlarms"]]

    def packages(self) -> list[str]:
        """Keys of the packages in this place's bucket."""
        listed = self.aws.client("s3").list_objects_v2(Bucket=self.aws.bucket, Prefix="artifacts/")
        return sorted(item["Key"] for item in listed.get("Contents", []))


def _part(described: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: described.get(name) for name in names}


def site_of(sites: Mapping[str, Site], environment: str) -> Site:
    """Where an environment lives."""
    return next(site for site in sites.values() if environment in site.environments)


def states(sites: Mapping[str, Site]) -> dict[str, dict[str, Any]]:
    """What AWS has of every environment, read in its own place."""
    return {name: site.state(name) for site in sites.values() for name in site.environments}


def untouched(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """The environments of which AWS has the same as before."""
    return [name for name, state in before.items() if now[name] == state]
