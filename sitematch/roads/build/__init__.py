"""Build the file of land and people from the gazetteer's towns, Natural Earth's land and the table of fixed links."""

from __future__ import annotations

from sitematch.roads.build.write import build

__all__ = ["build"]
