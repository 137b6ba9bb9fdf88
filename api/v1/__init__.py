"""``/v1``: one module a resource; `schemas` holds what requests and answers may carry."""
