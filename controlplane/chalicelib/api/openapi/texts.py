"""What the document says of itself: title, address, signature, groups of routes."""

from __future__ import annotations

SIGV4 = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "x-amazon-apigateway-authtype": "awsSigv4",
    "description": "AWS Signature Version 4, service execute-api. API Gateway checks it and execute-api:Invoke.",
}
SERVER = {
    "url": "https://{api}.execute-api.{region}.{suffix}/api",
    "variables": {
        "api": {"default": "api-id", "description": "The control API's ID; `bootstrap.py up` prints the whole URL."},
        "region": {"default": "eu-central-1"},
        "suffix": {"default": "amazonaws.com", "enum": ["amazonaws.com", "amazonaws.com.cn"]},
    },
}
INFO = {
    "title": "proxyctl control API",
    "version": "1",
    "description": "Rolls an OpenAI-compatible proxy: deployments with their phases, environments, secrets. Times are "
    "ISO 8601 in UTC, durations seconds. Unknown fields are refused by name.",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
TAGS = {
    "deployments": "Start deployments, follow them, answer them.",
    "environments": "What is live, its history and figures.",
    "fleets": "Roll environments in waves.",
    "secrets": "Keys, models and timeouts of an environment. No answer holds a value of a secret.",
    "control plane": "The control plane itself.",
}
