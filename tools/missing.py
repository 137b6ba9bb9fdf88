"""Say what this machine lacks for ``make test``, before any long work: one line each, with the command that helps.

Run with the machine's own Python, so this file needs nothing but the standard library of Python 3.11.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DISK_GB = 2.0
"""What the environment, the browser and the gazetteer take at most while they are built, in gigabytes."""

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def missing(which: Callable[[str], str | None], system: str, machine: str, free_bytes: int) -> list[str]:
    """Return a line for each thing that is missing.

    Parameters
    ----------
    which
        Finds a program on the path: `shutil.which`.
    system, machine
        What `sys.platform` and `platform.machine` say.
    free_bytes
        Room left in the file system of the checkout.
    """
    lines = []
    if which("bash") is None:
        lines.append("The tests run the README's commands with bash. Install it: apt-get install bash")
    if (system, machine) != ("linux", "x86_64") and not any(which(name) for name in _BROWSERS):
        command = "brew install --cask google-chrome" if system == "darwin" else "apt-get install chromium"
        lines.append(
            f"The browser tests need Chromium or Chrome on the path; npm's package has none for {system} on {machine}. "
            f"Install it: {command}"
        )
    if free_bytes < DISK_GB * 1e9 and not (ROOT / ".venv" / "dev.done").exists():
        lines.append(f"The set-up needs {DISK_GB:g} GB of disk; {free_bytes / 1e9:.1f} GB are free. Run: make clean")
    return lines


if __name__ == "__main__":
    found = missing(shutil.which, sys.platform, platform.machine(), shutil.disk_usage(ROOT).free)
    for line in found:
        print(line, file=sys.stderr)
    sys.exit(bool(found))
