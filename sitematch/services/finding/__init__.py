"""Look-ups: one study's sites, the clinics of a condition, the choice of a site, and how they stay current."""
