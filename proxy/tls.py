"""One TLS context a process: parsing the CA bundle costs some 10 ms, so only who needs it pays, and once."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

# Where AL2023, Debian and Alpine keep the system's bundle, should this Python's OpenSSL look elsewhere.
_BUNDLES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem")


@functools.cache
def context() -> ssl.SSLContext:
    """The default client context; SSL_CERT_FILE and AWS_CA_BUNDLE are honoured."""
    import ssl

    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    paths = ssl.get_default_verify_paths()
    if not (paths.cafile or paths.capath or os.environ.get("AWS_CA_BUNDLE")):
        for bundle in _BUNDLES:
            if os.path.exists(bundle):  # noqa: PTH110  (pathlib costs 3 ms of the cold start)
                context.load_verify_locations(bundle)
                break
    context.set_alpn_protocols(["http/1.1"])
    return context
