"""The use cases, and the only place that joins the rooms in the middle.

What a caller may do is asked here, before anything else happens. `setup` makes the database ready and opens it;
`idempotency` does a write once for each key.
"""
