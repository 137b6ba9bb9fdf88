"""Studies, sites, travel support, and the comparison of an imported record with the catalogue."""
