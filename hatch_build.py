"""Build hook: an installed sitematch carries its gazetteer, compiled from the pinned source packages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GAZETTEER = Path("sitematch") / "_data" / "gazetteer.sqlite"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg, misc, unused-ignore]
    """Compile the gazetteer into the wheel if it is not there yet."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        root = Path(self.root)
        target = root / GAZETTEER
        if not target.is_file():
            sys.path.insert(0, str(root))
            try:
                from sitematch.gazetteer.build import build

                build(target, directories=(root / "build" / "sources",))
            finally:
                sys.path.remove(str(root))
        build_data["force_include"][str(target)] = GAZETTEER.as_posix()
