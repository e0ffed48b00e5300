"""The environment, read once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from chalicelib.domain.errors import BadRequest
from chalicelib.domain.settings import Settings


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Raises BadRequest naming the variable that is missing."""
    env = os.environ if environ is None else environ

    def must(name: str) -> str:
        value = env.get(name, "")
        if not value:
            raise BadRequest(
                f"environment variable {name} is not set",
                field=name,
                remedy="Deploy the control plane with bootstrap.py up, which sets it.",
            )
        return value

    return Settings(
        account=must("ACCOUNT_ID"),
        region=must("AWS_REGION"),
        partition=env.get("PARTITION", "aws"),
        table=must("TABLE_NAME"),
        bucket=must("BUCKET_NAME"),
        bundle_key=must("BUNDLE_KEY"),
        state_machine_arn=must("STATE_MACHINE_ARN"),
        proxy_runtime=must("PROXY_RUNTIME"),
        response_mode=env.get("RESPONSE_MODE", "stream"),
        upstream_faults_url=env.get("UPSTREAM_FAULTS_URL", ""),
        endpoint_url=env.get("AWS_ENDPOINT_URL", ""),
        webhook_retries_url=env.get("WEBHOOK_RETRIES_URL", ""),
        boundary=env.get("BOUNDARY_ARN", ""),
        kms_key_arn=env.get("KMS_KEY_ARN", ""),
        tags=json.loads(env.get("CUSTOM_TAGS") or "{}"),
        release=env.get("RELEASE", ""),
        version=env.get("VERSION", ""),
        memory_mb=int(env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0")),
    )
