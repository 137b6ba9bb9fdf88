"""Areas on the globe, in the form in which GeoJSON holds them."""

from __future__ import annotations

Position = tuple[float, float]
"""Longitude, then latitude, in degrees: GeoJSON's order, used nowhere else."""

Ring = tuple[Position, ...]
"""A closed line: its last position repeats the first."""

MultiPolygon = tuple[tuple[Ring, ...], ...]
"""The coordinates of a GeoJSON MultiPolygon (RFC 7946): each polygon's outer ring, counterclockwise, then its holes,
clockwise; every longitude is from -180 to 180, so that an area across the antimeridian is cut there; an area around a
pole reaches up to the edge of the map at 90 degrees. Neighbouring positions are joined by straight lines on the
plate carrée, as RFC 7946 wants it, so that curves need many of them."""
