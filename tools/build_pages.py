"""Build what the pages need: style and scripts into api/static/built, translations into api/translations.

Run ``python -m tools.build_pages``, or with ``--check`` to check the scripts' types instead.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tools.node import ROOT, get_node

FRONTEND = ROOT / "api" / "frontend"
MANIFEST = ROOT / "api" / "static" / "built" / "manifest.json"
TRANSLATIONS = ROOT / "api" / "translations"


def build() -> None:
    """Build everything anew.

    Raises
    ------
    subprocess.CalledProcessError
        If node, npm or pip failed; they have said why.
    """
    compile_translations()
    get_node().run(FRONTEND, "build")


def is_current() -> bool:
    """Tell whether what is built is younger than all it is made from."""
    if not MANIFEST.exists():
        return False
    built_s = MANIFEST.stat().st_mtime
    return all(source.stat().st_mtime <= built_s for source in sources())


def sources() -> Iterator[Path]:
    """Yield every file that the build reads."""
    yield from (path for path in FRONTEND.iterdir() if path.is_file())
    yield from (path for path in (FRONTEND / "src").rglob("*") if path.is_file())
    yield from TRANSLATIONS.glob("*/LC_MESSAGES/*.po")


def compile_translations() -> None:
    """Write a ``.mo`` beside each ``.po``; messages that a translator marked as fuzzy are left out."""
    for source in TRANSLATIONS.glob("*/LC_MESSAGES/*.po"):
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parent.parent.name)
        with source.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, catalogue)


if __name__ == "__main__":
    try:
        get_node().run(FRONTEND, "check") if "--check" in sys.argv[1:] else build()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # it has said why
