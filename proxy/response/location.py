"""Rewrites a redirect so that the caller stays at the proxy and does not learn where the upstream is."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from proxy.secret.schema import Upstream


def relative_location(value: str, upstream: Upstream, path: str) -> str | None:
    """A Location as the caller may use it; `path`: what was asked for, below the base URL.

    Below the base URL it becomes a relative reference, which holds at any door and stage. Elsewhere at the upstream's
    host it is None: the caller cannot go there. At another host (a signed URL of a storage) it stays as it is.
    """
    try:
        requested = f"{upstream.scheme}://{_authority(upstream)}{upstream.base_path}{path.partition('?')[0]}"
        target = urlsplit(urljoin(requested, value))
        is_its_host = (target.hostname or "").rstrip(".") == upstream.host
        port = target.port or _default_port(target.scheme)
    except ValueError:  # no URL at all
        return None
    if not is_its_host:
        return value if target.scheme in ("http", "https") else None
    if (target.scheme, port) != (upstream.scheme, upstream.port):
        return None
    below = upstream.base_path + "/"
    if not target.path.startswith(below):
        return None
    folder = posixpath.dirname(upstream.base_path + path.partition("?")[0])
    reference = posixpath.relpath(target.path, folder)
    if target.path.endswith("/") and not reference.endswith("/"):
        reference += "/"
    reference = f"./{reference}" if ":" in reference.split("/")[0] else reference
    reference += f"?{target.query}" if target.query else ""
    return reference + (f"#{target.fragment}" if target.fragment else "")


def _authority(upstream: Upstream) -> str:
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    return f"{host}:{upstream.port}"


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80
