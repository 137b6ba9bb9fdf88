"""The catalogue: reading, search, import, sync, and locating sites."""
