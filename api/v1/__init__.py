"""``/v1``: one module per resource; `schemas` has the types of requests and answers."""
