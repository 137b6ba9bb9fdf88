"""What coordinators report: each report is worked out once, as one value, and rendered from it in every format."""
