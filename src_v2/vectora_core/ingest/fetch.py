"""Fetches a source over HTTP."""

import requests

TIMEOUT = (5, 20)
MAX_BYTES = 5_000_000


def fetch(url: str) -> bytes:
    """The body of a page or feed. Raises OSError (requests' exceptions are) if it cannot be had or is too large."""
    headers = {"User-Agent": "vectora-inbox/2 (news digest)"}
    with requests.get(url, headers=headers, timeout=TIMEOUT, stream=True) as response:
        response.raise_for_status()
        content = b""
        for block in response.iter_content(65536):
            content += block
            if len(content) > MAX_BYTES:
                raise OSError(f"{url} is larger than {MAX_BYTES} bytes")
    return content
