"""Troubleshooting for users of an environment: symptom, likely cause, first step."""

from __future__ import annotations

# From what the checks of validate_endpoints and validate_errors cover. `{environment}` is the environment's name.
TROUBLES: tuple[tuple[str, str, str], ...] = (
    (
        "401 `invalid_api_key` on every call",
        "The client key is not in the secret's `client_keys`, or the provider refuses the stored key.",
        "`python -m ctl secret set {environment}` stores a new one; the proxy reads it again by itself.",
    ),
    (
        "404 `model_not_found`",
        "The model is neither an alias in the secret's `models` nor a model of the provider.",
        "List the models with `/v1/models`; add the alias to the secret.",
    ),
    (
        "429 with `retry-after`",
        "The stage's throttle, or the provider's own limit (then `x-ratelimit-*` headers are there too).",
        "Raise `config.throttle`, or ask the provider for more.",
    ),
    (
        "503 from `/health`",
        "The proxy cannot read its secret, or the secret is malformed.",
        "Look for `secret` in the function's log; `GET /environments/{environment}` shows the last revalidation.",
    ),
    (
        "504, or answers that end after 29 s",
        "API Gateway buffers (`response_mode: buffered`), or `config.timeout_s` is shorter than the model takes.",
        "Stream (`response_mode: stream`) with `config.timeout_s: null`, which allows 900 s.",
    ),
    (
        "A deployment stays RUNNING",
        "Its execution was stopped by hand.",
        "Start another deployment: it takes over the lock of an execution that has ended.",
    ),
)
