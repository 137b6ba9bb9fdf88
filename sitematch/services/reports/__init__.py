"""Reports: permission check, reading the data, and calculation."""
