"""The way from a place to sites: by the model of the package, or by a router that the operator runs."""
