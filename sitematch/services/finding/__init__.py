"""Look-ups: one study's sites, the clinics of a condition, and what keeps both current."""
