"""Studies and sites, and how imported records are compared with them."""
