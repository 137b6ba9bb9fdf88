"""FHIR R4 resources, bundles and the bulk publication."""
