"""Ports over a MiniStack for what a stack owns, and in memory for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from chalicelib.adapters.functions import LambdaFunctions
from chalicelib.adapters.gateway import RestGateway
from chalicelib.adapters.identity import IamIdentity
from chalicelib.adapters.logs import CloudWatchLogs
from chalicelib.adapters.session import client
from chalicelib.adapters.stacks import CloudFormationStacks
from chalicelib.ports import Aws

from tests.fakes import FakeAws, settings
from tests.fakes.bundles import put_bundle
from tests.functional.adapters.conftest import zipped
from tests.functional.adapters.ministack import MiniStack, started

REGION, ACCOUNT, BUCKET = "eu-central-1", "123456789012", "artifacts"


@pytest.fixture(scope="module")
def emulator() -> Iterator[MiniStack]:
    with started(REGION, ACCOUNT) as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_ACCESS_KEY_ID", running.keys.access_key_id)
        patch.setenv("AWS_SECRET_ACCESS_KEY", running.keys.secret_access_key)
        patch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        client.cache_clear()
        yield running
    client.cache_clear()


def ports() -> Aws:
    """The ports, with a bucket that holds `a.zip`."""
    fake = cast(Any, FakeAws(settings(bucket=BUCKET, proxy_runtime="provided.al2023", response_mode="buffered")))
    put_bundle(fake.artifacts)
    fake.stacks, fake.gateway, fake.functions = CloudFormationStacks(), RestGateway(), LambdaFunctions()
    fake.identity, fake.logs = IamIdentity(), CloudWatchLogs()
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="a.zip", Body=zipped("#!/bin/sh"))
    return cast(Aws, fake)
