"""Demand: counts of look-ups by coarse region."""
