"""What requests to ``/v1`` may hold, and the answers that only HTTP gives; `exporters.wire` holds the others."""
