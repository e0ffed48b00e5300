"""config.target: what it must look like, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest
from chalicelib.domain.aws.targets import Target
from chalicelib.domain.codec import decode
from chalicelib.domain.config import Config
from chalicelib.domain.errors import BadRequest

from tests.fakes import settings

BLOCK: dict[str, Any] = {
    "role_arn": "arn:aws:iam::222222222222:role/proxyctl-target-eu-west-1",
    "external_id": "shop-7f3a",
    "region": "eu-west-1",
}


def refused(**other: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        decode(Config, {"target": BLOCK | other}, under="config")
    return caught.value


def test_account_partition_and_roles_follow_from_the_block() -> None:
    target = decode(Config, {"target": BLOCK}).target
    assert target is not None
    assert (target.account, target.partition, target.place) == ("222222222222", "aws", ("222222222222", "eu-west-1"))
    assert target.role_of("release_code") == f"{BLOCK['role_arn']}-release-code"


@pytest.mark.parametrize(("partition", "region"), [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")])
def test_other_partitions_have_regions_of_their_own(partition: str, region: str) -> None:
    target = Target(f"arn:{partition}:iam::222222222222:role/proxyctl-target-{region}", "id", region)
    assert decode(Config, {"target": {"role_arn": target.role_arn, "external_id": "id", "region": region}})
    assert settings().at(target).boundary_arn.startswith(f"arn:{partition}:iam::222222222222:policy/")


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"role_arn": "arn:aws:iam::222222222222:role/admin"}, "config.target.role_arn"),
        ({"role_arn": "arn:aws:iam::22222222222:role/proxyctl-target-eu-west-1"}, "config.target.role_arn"),
        ({"role_arn": BLOCK["role_arn"] + "-release-code"}, "config.target.role_arn"),
        ({"role_arn": BLOCK["role_arn"] + "\n"}, "config.target.role_arn"),
        ({"external_id": "x"}, "config.target.external_id"),
        ({"external_id": "x" * 1_225}, "config.target.external_id"),
        ({"external_id": "with a space"}, "config.target.external_id"),
        ({"region": "europe"}, "config.target.region"),
        ({"region": "eu-central-1"}, "config.target.region"),
        ({"role": "x"}, "config.target.role"),
    ],
)
def test_what_is_wrong_is_named(other: dict[str, str], field: str) -> None:
    assert refused(**other).field == field


@pytest.mark.parametrize("length", [2, 1_224])
def test_external_ids_have_the_lengths_that_sts_takes(length: int) -> None:
    assert decode(Config, {"target": BLOCK | {"external_id": "x" * length}}).target


def test_a_record_without_a_target_is_at_home() -> None:
    assert decode(Config, {}).target is None


def test_settings_of_a_target_are_its_own_and_keep_what_belongs_to_the_control_plane() -> None:
    home = settings()
    there = home.at(Target(**BLOCK))
    assert (there.account, there.region, there.bucket) == (
        "222222222222",
        "eu-west-1",
        "proxyctl-222222222222-eu-west-1",
    )
    assert there.stacks_role_arn == "arn:aws:iam::222222222222:role/proxyctl-change-stacks-eu-west-1"
    assert (there.table, there.bundle_key, there.state_machine_arn) == (
        home.table,
        home.bundle_key,
        home.state_machine_arn,
    )
    assert (home.is_target, there.is_target, there.stack) == (False, True, "proxyctl-target")


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"boundary": "arn:aws:iam::222222222222:role/x"}, "config.target.boundary"),
        ({"kms_key_arn": "alias/ours"}, "config.target.kms_key_arn"),
        ({"bucket": "S3://ours"}, "config.target.bucket"),
        ({"tags": ["team"]}, "config.target.tags"),
        ({"tags": ["proxyctl:owner=me"]}, "config.target.tags"),
    ],
)
def test_what_the_command_was_asked_for_there_is_checked_by_its_form(other: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        decode(Config, {"target": BLOCK | other}, under="config")
    assert refused.value.field == field


def test_the_settings_there_have_what_the_command_was_asked_for() -> None:
    wanted = {
        "boundary": "arn:aws:iam::222222222222:policy/theirs",
        "kms_key_arn": "arn:aws:kms:eu-west-1:222222222222:key/1234",
        "bucket": "the-teams-bucket",
        "tags": ["team=ml", "path=a=b"],
    }
    target = decode(Config, {"target": BLOCK | wanted}).target
    assert target is not None
    there = settings(boundary="arn:aws:iam::123456789012:policy/home", tags={"home": "yes"}).at(target)
    assert (there.boundary_arn, there.kms_key_arn, there.bucket) == (
        wanted["boundary"],
        wanted["kms_key_arn"],
        wanted["bucket"],
    )
    assert there.tags == {"team": "ml", "path": "a=b"}
    plain = settings(boundary="arn:aws:iam::123456789012:policy/home", tags={"home": "yes"}).at(Target(**BLOCK))
    assert (plain.boundary, plain.kms_key_arn, plain.tags) == ("", "", {})
