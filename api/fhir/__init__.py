"""``/fhir``: FHIR R4 over HTTP: routes, search grammar, parameters and outcomes."""
