"""Reading FHIR R4 bundles."""
