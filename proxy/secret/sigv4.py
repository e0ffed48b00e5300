"""AWS Signature Version 4 for one JSON POST, in the standard library.

Why not botocore's signer: importing it costs more than the rest of the cold start (bench/proxy, decision
102). The tests hold this against botocore's own signer. Source: AWS General Reference, "Create a signed AWS
API request".
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials that Lambda puts into the environment of the function."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


def sign_post(
    credentials: Credentials,
    *,
    region: str,
    service: str,
    host: str,
    headers: dict[str, str],
    body: bytes,
    now: float,
) -> dict[str, str]:
    """All headers, signature included, of a POST to `/` at `host`; `now`: seconds since the epoch."""
    moment = time.gmtime(now)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", moment)
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    signed = {name.lower(): value for name, value in headers.items()}
    signed["host"] = host
    signed["x-amz-date"] = stamp
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hex()
    credential = f"{credentials.access_key}/{scope}"
    signed["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return signed
