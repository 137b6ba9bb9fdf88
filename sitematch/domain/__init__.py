"""Pure values and rules: places, studies, sites, travel support, capacity and the order of matches."""
