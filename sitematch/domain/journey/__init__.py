"""How long the way to a site is, as intervals, and how it was found."""
