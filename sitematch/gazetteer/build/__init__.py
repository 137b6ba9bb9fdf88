"""Compile the gazetteer from pinned sources into one file, audit it, and update it where there is internet."""

from __future__ import annotations

from sitematch.gazetteer.build.audit import Audit, CountryAudit, SourceAudit, audit, render
from sitematch.gazetteer.build.compile import build
from sitematch.gazetteer.build.update import GEONAMES_URL, update

__all__ = ["GEONAMES_URL", "Audit", "CountryAudit", "SourceAudit", "audit", "build", "render", "update"]
