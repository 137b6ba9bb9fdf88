"""The catalogue and the ledger for other systems: exports, FHIR, the bulk publication."""
