"""The catalogue: studies, sites, search, imports, contacts."""
