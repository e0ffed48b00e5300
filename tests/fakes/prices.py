"""List prices in USD as of November 2026, eu-central-1, without free tiers. Source: each service's price page."""

from __future__ import annotations

AS_OF = "2026-11"
STATE_TRANSITION = 0.000025
LAMBDA_GB_S = 0.0000133334  # arm64
LAMBDA_REQUEST = 0.0000002
DYNAMODB_WRITE_UNIT = 0.000000762
DYNAMODB_READ_UNIT = 0.000000152
S3_PUT = 0.0000054
S3_GET = 0.00000043
GATEWAY_REQUEST = 0.0000037
SECRET_REQUEST = 0.000005
METRIC_READ = 0.00001  # CloudWatch GetMetricData, a metric
CLOUDWATCH_REQUEST = 0.00001
LOG_GB = 0.63
