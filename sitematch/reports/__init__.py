"""Reports for coordinators: each report is calculated once, as one value, and rendered from it in every format."""
