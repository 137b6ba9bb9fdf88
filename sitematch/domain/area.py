"""Areas on the globe, in the form of GeoJSON."""

from __future__ import annotations

Position = tuple[float, float]
"""Longitude, then latitude, in degrees: GeoJSON's order, used nowhere else."""

Ring = tuple[Position, ...]
"""A closed line: its last position repeats the first."""

MultiPolygon = tuple[tuple[Ring, ...], ...]
"""The coordinates of a GeoJSON MultiPolygon (RFC 7946): each polygon's outer ring, counterclockwise, then its holes,
clockwise; every longitude is from -180 to 180, so an area across the antimeridian is cut there, and an area around a
pole extends to the edge of the map at 90 degrees. Straight lines on the plate carrée join neighbouring positions, as
RFC 7946 requires, so curves need many positions."""
