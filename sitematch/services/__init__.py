"""The use cases, which combine the lower layers.

Permissions are checked here, before anything else happens. `setup` prepares and opens the database; `idempotency` runs
a write once for each key.
"""
