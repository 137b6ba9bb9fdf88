"""The JSON types of the HTTP interface and ``--format json``."""
