"""Studies, sites, travel support, and how an imported record is compared with what is known."""
