"""How fast requests may come: token buckets, only with `strict` limits (reference 3.1, 5)."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import ServiceError

STRICT: Mapping[str, float] = {"CreateSipMediaApplicationCall": 1.0, "UpdateSipMediaApplicationCall": 5.0}
"""Requests a second for an account and Region: AWS's defaults."""


class Rates:
    """One bucket for each account, Region and operation that has a rate; a bucket holds one second's worth."""

    def __init__(self, rates: Mapping[str, float]) -> None:
        self._rates = rates
        self._buckets: dict[tuple[str, str, str], tuple[float, float]] = {}

    def take(self, account: str, region: str, operation: str, now: float) -> None:
        """Count one request. Raises where it comes too fast."""
        rate = self._rates.get(operation)
        if rate is None:
            return
        if len(self._buckets) > 10_000:  # a Region is whatever the client signs for: full buckets say nothing
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if now - bucket[1] < 1.0}
        key = (account, region, operation)
        level, since = self._buckets.get(key, (rate, now))
        level = min(rate, level + (now - since) * rate)
        if level < 1.0:
            self._buckets[key] = (level, now)
            raise ServiceError(
                "ThrottledClientException", f"{operation} is limited to {rate:g} a second. Slow down, or run with relaxed limits."
            )
        self._buckets[key] = (level - 1.0, now)
