"""Build hook: an installed sitematch carries its gazetteer, its file of land and people, and its built pages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path("sitematch") / "_web"
"""Where `api` lies in the wheel; `sitematch.wsgi` finds it there."""

NOT_INSTALLED = frozenset({".po", ".pot", ".pyc"})
"""Endings of files below `api` that only a checkout needs."""

GAZETTEER = Path("sitematch") / "_data" / "gazetteer.sqlite"
ROADS = Path("sitematch") / "_data" / "roads.sqlite"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg, misc, unused-ignore]
    """Build what is missing, and put it into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        root = Path(self.root)
        target, roads = root / GAZETTEER, root / ROADS
        sys.path.insert(0, str(root))
        try:
            from tools import build_pages

            if not target.is_file():
                from sitematch.gazetteer.build import build

                build(target, directories=(root / "build" / "sources",))
            if not roads.is_file():
                from sitematch.roads.build import build as build_roads

                build_roads(
                    roads,
                    gazetteer=target,
                    land=(root / "data" / "roads" / "land.geojson").read_bytes(),
                    links=(root / "data" / "roads" / "links.csv").read_bytes(),
                )
            if not build_pages.is_current():
                build_pages.build()
        finally:
            sys.path.remove(str(root))
        build_data["force_include"][str(target)] = GAZETTEER.as_posix()
        build_data["force_include"][str(roads)] = ROADS.as_posix()
        build_data["force_include"].update(_web_files(root))


def _web_files(root: Path) -> dict[str, str]:
    """Return where each file of `api` comes to lie, by where it is; what is built is there, its sources are not."""
    frontend = root / "api" / "frontend"
    return {
        str(path): (WEB / path.relative_to(root)).as_posix()
        for path in sorted((root / "api").rglob("*"))
        if path.is_file() and path.suffix not in NOT_INSTALLED and frontend not in path.parents
    }
