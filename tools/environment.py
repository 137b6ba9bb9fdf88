"""Make the virtual environment ``.venv``, whole or not at all, and say in words why if it cannot be made.

Run with the Python that it is to be made of; nothing is installed yet, so this also runs on a Python that is too old.
"""

import importlib.util
import os
import shutil
import subprocess
import sys

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".venv")  # noqa: PTH100, PTH118, PTH120
LEAST = (3, 11)


def is_whole(folder: str) -> bool:
    """Tell whether a folder holds an environment that has pip."""
    python = os.path.join(folder, "bin", "python")  # noqa: PTH118
    if not os.path.exists(python):  # noqa: PTH110
        return False
    return subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def obstacle() -> str:
    """Return what this Python lacks, with the command that helps; empty if it lacks nothing."""
    version = "%d.%d" % sys.version_info[:2]  # noqa: UP031
    if sys.version_info < LEAST:
        return "sitematch needs Python %d.%d or later; this is %s. Name another: make run PYTHON=python3.12" % (  # noqa: UP031
            *LEAST,
            version,
        )
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        return "Python %s has no venv. Install it: apt-get install python%s-venv" % (version, version)  # noqa: UP031
    return ""


def make(folder: str) -> str:
    """Make the environment anew and return why it could not be made; empty if it was."""
    shutil.rmtree(folder, ignore_errors=True)
    done = None
    try:
        done = subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True, text=True, check=False)
    finally:
        # Half an environment would break every later attempt.
        if done is None or done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
    return "" if done.returncode == 0 else "The environment .venv could not be made:\n%s" % (done.stderr or done.stdout)


if __name__ == "__main__":
    if not is_whole(FOLDER):
        sys.exit(obstacle() or make(FOLDER) or 0)
