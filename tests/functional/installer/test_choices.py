"""What `up` and `target` may be asked for: a boundary, a key, a bucket, tags. Against moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from chalicelib.domain.aws.stacks import Stack
from moto import mock_aws

from installer import bucket
from installer.choices import adopted_bucket, choose, kms_key
from installer.choices.choose import Wanted
from installer.errors import CannotStart, CommandFailed
from installer.target import Target

ACCOUNT, REGION, NAME = "123456789012", "eu-central-1", "the-teams-bucket"
ALL = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
PARTITIONS = [("aws", REGION), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        session = boto3.session.Session(aws_access_key_id="AK", aws_secret_access_key="SK", region_name=REGION)
        yield Target(session, ACCOUNT, REGION, "aws", f"arn:aws:iam::{ACCOUNT}:user/me", "")


@pytest.fixture
def theirs(aws: Target) -> Target:
    """The account with a bucket of the customer's that is fit for us."""
    return prepared(aws, aws.client("s3"))


def prepared(aws: Target, s3: Any) -> Target:
    s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration=bucket.PUBLIC_ACCESS_BLOCK)
    encrypt(s3, {"SSEAlgorithm": "AES256"})
    return replace(aws, bucket_name=NAME)


def encrypt(s3: Any, default: dict[str, str]) -> None:
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    s3.put_bucket_encryption(Bucket=NAME, ServerSideEncryptionConfiguration=rules)


def key_of(aws: Target, statements: list[dict[str, Any]] | None = None, **other: Any) -> str:
    policy = {"Version": "2012-10-17", "Statement": kms_key.needs(aws) if statements is None else statements}
    kms = aws.client("kms")
    usage = {"KeyUsage": "ENCRYPT_DECRYPT", **other}
    return str(kms.create_key(Policy=json.dumps(policy), **usage)["KeyMetadata"]["Arn"])


def installed(parameters: dict[str, str], tags: dict[str, str] | None = None) -> Stack:
    return Stack("id", "proxyctl", "CREATE_COMPLETE", parameters=parameters, tags=tags or {})


def test_without_options_everything_is_ours(aws: Target) -> None:
    chosen = choose.choose(aws, Wanted(), None)
    assert chosen.parameters == {"BucketName": f"proxyctl-{ACCOUNT}-{REGION}", "Boundary": "", "KmsKeyArn": ""}
    assert (chosen.tags_as_json, chosen.stack_tags, chosen.target.is_adopted) == ("", [], False)


def test_what_is_installed_stays_without_an_option_and_goes_with_an_empty_one(theirs: Target) -> None:
    boundary = theirs.client("iam").create_policy(
        PolicyName="ours", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": ALL})
    )["Policy"]["Arn"]
    key = key_of(theirs)
    encrypt(theirs.client("s3"), {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key})
    plain = replace(theirs, bucket_name="")
    first = choose.choose(plain, Wanted(boundary, key, NAME, ("team=ml", "stage=x")), None)
    stack = installed(dict(first.parameters), {**first.tags, "proxyctl:owner": "proxyctl"})
    again = choose.choose(plain, Wanted(), stack)
    assert again == first
    assert (again.boundary, again.kms_key, again.target.bucket) == (boundary, key, NAME)
    assert again.tags == {"team": "ml", "stage": "x"}
    encrypt(theirs.client("s3"), {"SSEAlgorithm": "AES256"})
    cleared = choose.choose(plain, Wanted("", "", tags=("",)), stack)
    assert (cleared.boundary, cleared.kms_key, cleared.tags) == ("", "", {})


def test_the_bucket_of_an_installation_cannot_change(aws: Target) -> None:
    stack = installed({"BucketName": f"proxyctl-{ACCOUNT}-{REGION}"})
    with pytest.raises(CannotStart, match="a bucket cannot change"):
        choose.choose(aws, Wanted(bucket=NAME), stack)
    assert choose.choose(aws, Wanted(bucket=f"proxyctl-{ACCOUNT}-{REGION}"), stack).target.is_adopted is False


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (Wanted(boundary=f"arn:aws:iam::{ACCOUNT}:role/x"), "--boundary"),
        (Wanted(boundary="arn:aws:iam::999999999999:policy/x"), "no policy of account"),
        (Wanted(boundary=f"arn:aws-cn:iam::{ACCOUNT}:policy/x"), "no policy of account"),
        (Wanted(boundary=f"arn:aws:iam::{ACCOUNT}:policy/none"), "does not exist"),
        (Wanted(kms_key="alias/ours"), "not of an alias"),
        (Wanted(kms_key=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234"), "no key of account"),
        (Wanted(kms_key=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"), "cannot be looked at"),
        (Wanted(bucket="s3://x"), "--bucket"),
        (Wanted(bucket="nobodys-bucket"), "does not exist"),
        (Wanted(tags=("team",)), "--tag"),
        (Wanted(tags=("proxyctl:owner=me",)), "reserved"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_option(aws: Target, wanted: Wanted, text: str) -> None:
    with pytest.raises(CannotStart, match=text):
        choose.choose(aws, wanted, None)


@pytest.mark.parametrize("missing", range(4))
def test_each_statement_that_the_keys_policy_lacks_is_named(aws: Target, missing: int) -> None:
    needed = kms_key.needs(aws)
    left = [statement for index, statement in enumerate(needed) if index != missing]
    with pytest.raises(CannotStart) as refused:
        kms_key.check(aws, key_of(aws, left))
    assert needed[missing]["Sid"] in str(refused.value)
    assert not any(statement["Sid"] in str(refused.value) for statement in left)


def test_a_policy_that_names_the_account_or_everybody_is_enough(aws: Target) -> None:
    root, *services = kms_key.needs(aws)
    kms_key.check(aws, key_of(aws, [{**root, "Principal": {"AWS": [ACCOUNT]}}, *services]))
    kms_key.check(aws, key_of(aws, [{**root, "Principal": "*"}]))


def test_a_key_that_is_disabled_or_asymmetric_is_refused(aws: Target) -> None:
    key = key_of(aws)
    aws.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    with pytest.raises(CannotStart, match="is Disabled"):
        kms_key.check(aws, key)
    with pytest.raises(CannotStart, match="not symmetric"):
        kms_key.check(aws, key_of(aws, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY"))


@pytest.mark.parametrize(("partition", "region"), PARTITIONS)
def test_the_services_are_those_of_the_partition(aws: Target, partition: str, region: str) -> None:
    needed = json.dumps(kms_key.needs(replace(aws, partition=partition, region=region)))
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    assert f'"logs.{region}.{suffix}"' in needed
    assert ("arn:aws:" in needed) == (partition == "aws")


def test_a_bucket_that_is_fit_is_adopted_once_and_never_changed(theirs: Target) -> None:
    s3 = theirs.client("s3")
    s3.put_object(Bucket=NAME, Key="theirs/1", Body=b"x")
    adopted_bucket.check(theirs, "")
    assert adopted_bucket.mark(theirs) is True
    assert adopted_bucket.mark(theirs) is False
    bucket.upload(theirs, "bundles/1.zip", b"x")
    adopted_bucket.check(theirs, "")  # our own objects are there now
    assert "2 objects removed; the bucket is yours and stays" in adopted_bucket.remove_objects(theirs)
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=NAME)["Contents"]] == ["theirs/1"]
    assert "nothing of ours" in adopted_bucket.remove_objects(theirs)


def test_a_bucket_without_our_mark_is_never_emptied(theirs: Target) -> None:
    s3 = theirs.client("s3")
    s3.put_object(Bucket=NAME, Key="reports/annual.pdf", Body=b"x")
    assert "nothing of ours" in adopted_bucket.remove_objects(theirs)
    assert s3.list_objects_v2(Bucket=NAME)["KeyCount"] == 1


def test_the_mark_goes_last_so_that_a_broken_removal_can_be_finished(theirs: Target) -> None:
    adopted_bucket.mark(theirs)
    for prefix in bucket.PREFIXES:
        bucket.upload(theirs, f"{prefix}1", b"x")
    doomed = list(bucket.keys(theirs.client("s3"), theirs))
    assert doomed[0] > adopted_bucket.MARK or adopted_bucket.MARK in doomed
    bucket.delete_prefix(theirs.client("s3"), theirs, "controlplane/", but=adopted_bucket.MARK)
    assert adopted_bucket.MARK in list(bucket.keys(theirs.client("s3"), theirs))
    assert "objects removed" in adopted_bucket.remove_objects(theirs)


def test_another_control_planes_bucket_is_refused(theirs: Target) -> None:
    mark = json.dumps({"account": "999999999999", "region": REGION}).encode()
    theirs.client("s3").put_object(Bucket=NAME, Key=adopted_bucket.MARK, Body=mark)
    with pytest.raises(CommandFailed, match="used by the control plane of account 999999999999"):
        adopted_bucket.check(theirs, "")


def test_somebodys_objects_where_ours_would_be_are_a_reason_to_refuse(theirs: Target) -> None:
    theirs.client("s3").put_object(Bucket=NAME, Key="reports/annual.pdf", Body=b"x")
    with pytest.raises(CannotStart, match=r"reports/annual\.pdf"):
        adopted_bucket.check(theirs, "")


def test_a_bucket_that_may_be_public_or_is_in_the_clear_is_refused(theirs: Target) -> None:
    s3 = theirs.client("s3")
    for name in bucket.PUBLIC_ACCESS_BLOCK:
        open_to_all = {**bucket.PUBLIC_ACCESS_BLOCK, name: False}
        s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration=open_to_all)
        with pytest.raises(CannotStart, match="put-public-access-block"):
            adopted_bucket.check(theirs, "")
    s3.delete_public_access_block(Bucket=NAME)
    with pytest.raises(CannotStart, match="may be public"):
        adopted_bucket.check(theirs, "")
    s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration=bucket.PUBLIC_ACCESS_BLOCK)
    s3.delete_bucket_encryption(Bucket=NAME)
    with pytest.raises(CannotStart, match="put-bucket-encryption"):
        adopted_bucket.check(theirs, "")


def test_bucket_and_key_have_to_agree(theirs: Target) -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"
    with pytest.raises(CannotStart, match="does not encrypt with --kms-key"):
        adopted_bucket.check(theirs, key)
    encrypt(theirs.client("s3"), {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key})
    adopted_bucket.check(theirs, key)
    with pytest.raises(CannotStart, match="name the same key in --kms-key"):
        adopted_bucket.check(theirs, "")


def test_a_bucket_of_another_region_is_refused(aws: Target) -> None:
    aws.session.client("s3", region_name="us-east-1").create_bucket(Bucket=NAME)
    with pytest.raises(CannotStart, match="is in us-east-1; Lambda takes code from its own region"):
        adopted_bucket.check(replace(aws, bucket_name=NAME), "")


def test_a_bucket_that_retains_every_object_is_refused(aws: Target) -> None:
    s3 = aws.client("s3")
    place = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=NAME, CreateBucketConfiguration=place, ObjectLockEnabledForBucket=True)
    s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration=bucket.PUBLIC_ACCESS_BLOCK)
    encrypt(s3, {"SSEAlgorithm": "AES256"})
    adopted_bucket.check(replace(aws, bucket_name=NAME), "")
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    s3.put_object_lock_configuration(Bucket=NAME, ObjectLockConfiguration=lock)
    with pytest.raises(CannotStart, match="Object Lock"):
        adopted_bucket.check(replace(aws, bucket_name=NAME), "")


def test_versions_that_no_rule_ends_are_told(theirs: Target, capsys: pytest.CaptureFixture[str]) -> None:
    s3 = theirs.client("s3")
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    adopted_bucket.check(theirs, "")
    assert "keeps every version" in capsys.readouterr().err
    rule = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 9}}
    rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": 1}
    s3.put_bucket_lifecycle_configuration(Bucket=NAME, LifecycleConfiguration={"Rules": [rule]})
    adopted_bucket.check(theirs, "")
    assert capsys.readouterr().err == ""


def test_our_own_bucket_takes_key_and_tags_beside_those_it_has(aws: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "tls_policy", lambda *_: {"Version": "2012-10-17", "Statement": []})
    key = key_of(aws)
    s3 = aws.client("s3")
    bucket.ensure(aws)
    s3.put_bucket_tagging(Bucket=aws.bucket, Tagging={"TagSet": [bucket.OWNER_TAG, {"Key": "by", "Value": "hand"}]})
    bucket.ensure(aws, key, [{"Key": "team", "Value": "ml"}])
    rules = s3.get_bucket_encryption(Bucket=aws.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=aws.bucket)["TagSet"]}
    assert tags == {"proxyctl:owner": "proxyctl", "by": "hand", "team": "ml"}


def test_a_change_of_what_was_chosen_is_seen_and_status_shows_what_is_installed(aws: Target) -> None:
    chosen = choose.choose(aws, Wanted(tags=("team=ml",)), None)
    same = installed(dict(chosen.parameters), {**chosen.tags, "proxyctl:owner": "proxyctl"})
    assert not chosen.differs(same)
    assert not chosen.differs(None)
    assert chosen.differs(installed(dict(chosen.parameters)))
    assert chosen.differs(installed({**chosen.parameters, "KmsKeyArn": "arn:k"}, dict(chosen.tags)))
    assert list(choose.described(installed({"Boundary": "arn:b", "KmsKeyArn": ""}, {"team": "ml"}))) == [
        "boundary     arn:b",
        "tags         team=ml",
    ]
    # An installation of before these options has none of the parameters.
    assert not choose.choose(aws, Wanted(), None).differs(installed({"BucketName": aws.bucket}))
