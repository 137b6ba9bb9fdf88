"""Requests to ``/v1``, and the answers that only HTTP has; `exporters.wire` has the others."""
