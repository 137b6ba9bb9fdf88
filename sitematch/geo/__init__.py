"""Geodesic distance on WGS84, and the index that finds the nearest sites exactly."""
