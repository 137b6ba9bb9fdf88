"""RFC 7946's rules for areas, and reading areas with shapely, which the program does not use to decide positions."""

from __future__ import annotations

import shapely
from shapely.geometry import shape

from sitematch.domain.area import MultiPolygon


def read_area(area: MultiPolygon) -> shapely.Geometry:
    """Read an area as any GeoJSON program would, and check it on the way."""
    geometry = shape({"type": "MultiPolygon", "coordinates": area})
    assert geometry.is_valid, shapely.is_valid_reason(geometry)
    for polygon in geometry.geoms:
        assert polygon.exterior.is_ccw  # RFC 7946, 3.1.6
        assert not any(hole.is_ccw for hole in polygon.interiors)
    for polygon in area:
        for ring in polygon:
            assert len(ring) >= 4
            assert ring[0] == ring[-1]
            assert all(-180 <= longitude <= 180 and -90 <= latitude <= 90 for longitude, latitude in ring)
    return geometry
