"""Counts and times of requests, by method, route and status: never by address."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends of the histogram's buckets, in seconds: a look-up takes about a millisecond."""


class RequestMetrics:
    """What is known of the requests of one process.

    Parameters
    ----------
    registry
        Where the metrics are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = Counter(
            "sitematch_requests_total",
            "Answers, by method, route and status.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._durations = Histogram(
            "sitematch_request_duration_seconds",
            "Time from the request to its answer, by method and route.",
            ["method", "route"],
            buckets=BUCKETS_S,
            registry=registry,
        )

    def observe(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answer."""
        self._answers.labels(method, route, str(status)).inc()
        self._durations.labels(method, route).observe(duration_s)
