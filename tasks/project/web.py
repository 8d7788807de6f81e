"""Addresses are read as this user's network wants it: through HTTPS_PROXY, and with a company's own authority."""

import os
from typing import Any


def open_url(url: str, timeout: float, **headers: str) -> Any:
    """The answer to a GET, to be closed by whoever asked. Raises OSError and http.client.HTTPException.

    AWS_CA_BUNDLE and SSL_CERT_FILE name authorities, as for the aws command line and for uv.
    """
    import ssl
    import urllib.request

    bundle = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    context = ssl.create_default_context(cafile=bundle) if bundle and url.startswith("https:") else None
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  (from uv, or handed out by AWS)
    return urllib.request.urlopen(request, timeout=timeout, context=context)  # noqa: S310
