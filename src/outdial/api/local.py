"""Whether a request comes from a program on this machine, and not from a web page that the user's browser runs.

A page can reach a loopback listener, also under its own name (DNS rebinding), and could sign with the development credentials, which
everybody knows. It cannot choose the Host header, and it gives itself away by its Origin.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from .errors import forbidden


def check(headers: dict[str, str]) -> None:
    """Raise where the Host is no loopback name, or the Origin is another one's."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if not _is_loopback(f"//{host}"):
        raise forbidden(f"This listener is for this machine only, and '{host[:60]}' is none of its loopback names.")
    if origin is not None and not _is_loopback(origin):
        raise forbidden("A page of another origin may not use this.")


@lru_cache(maxsize=64)
def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
