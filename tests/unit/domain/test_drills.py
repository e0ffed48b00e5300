"""What each part of a drill posts."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from chalicelib.domain import drills
from chalicelib.domain.codec import decode
from chalicelib.domain.config import Config
from chalicelib.domain.options import Options
from chalicelib.lifecycle.start import Start

DRILL = "d-0123abcdef0123abcdef"
NAME = "drill-0123ab"
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:of-prod"
OPTIONS = dataclasses.asdict(Options())
LIVE = Config(memory_mb=1024, notify=("ann@example.com",), reserved_concurrency=5, protected=True)
TEMPLATE = dataclasses.asdict(LIVE)


def body_of(part: str, **template: Any) -> drills.Body:
    if part == "cleanup":
        return drills.clean_up_of(DRILL)
    return drills.deploy(part, NAME, TEMPLATE | template, ARN, OPTIONS)


@pytest.mark.parametrize("part", drills.PARTS)
def test_every_part_is_a_body_that_the_api_takes(part: str) -> None:
    start = decode(Start, body_of(part))
    assert start.environment == NAME == drills.ephemeral_environment(DRILL)
    assert start.action.value == ("cleanup" if part == "cleanup" else "deploy")
    assert (start.options.sabotage is not None) == (part == "broken")
    assert start.options.reason == f"drill: {part}"


def test_the_copy_has_the_templates_secret_by_name_and_notifies_nobody() -> None:
    start = decode(Start, body_of("deploy"))
    config = start.config
    assert (config.memory_mb, config.secret_arn) == (1024, ARN)
    assert (config.notify, config.webhook, config.reserved_concurrency, config.protected) == ((), None, None, False)
    assert start.options.ttl_hours == drills.TTL_HOURS == 4


def test_the_drills_options_are_those_of_its_deployments() -> None:
    options = dataclasses.asdict(Options(max_cost_usd=0.5, usd_per_million_tokens=3.0))
    start = decode(Start, drills.deploy("deploy", NAME, TEMPLATE, ARN, options))
    assert (start.options.max_cost_usd, start.options.usd_per_million_tokens) == (0.5, 3.0)


@pytest.mark.parametrize(
    ("before", "after"), [(512, 576), (10_176, 10_240), (10_177, 10_113), (10_240, 10_176), (128, 192)]
)
def test_the_update_changes_one_setting_within_lambdas_limit(before: int, after: int) -> None:
    update, deploy = (decode(Start, body_of(part, memory_mb=before)).config for part in ("update", "deploy"))
    assert update == dataclasses.replace(deploy, memory_mb=after)


def test_an_update_of_a_template_without_memory_begins_from_the_default() -> None:
    template = {name: value for name, value in TEMPLATE.items() if name != "memory_mb"}
    start = decode(Start, drills.deploy("update", NAME, template, ARN, OPTIONS))
    assert start.config.memory_mb == Config().memory_mb + 64


def test_the_removal_waits_and_takes_the_secret_with_it() -> None:
    options = decode(Start, body_of("cleanup")).options
    assert (options.if_busy, options.remove_secret, options.secret_recovery_days) == ("wait", True, 0)
