"""FHIR R4 bundles as they come in."""
