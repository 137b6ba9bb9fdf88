"""Run one long step quietly: a line when it starts, the seconds while it runs, and its output only if it fails.

Run ``python tools/step.py "What it does" COMMAND …`` with any Python 3.8 or later: nothing is installed yet.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import TextIO


def run(title: str, command: Sequence[str], out: TextIO) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    title
        What it does, as people say it.
    command
        The program and its arguments.
    out
        Where the line goes. On a terminal it shows the seconds as they pass; elsewhere they follow at the end.
    """
    started_s = time.monotonic()
    print(f"{title} …", end="", file=out, flush=True)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        try:
            while True:
                try:
                    code = process.wait(timeout=2)
                    break
                except subprocess.TimeoutExpired:
                    if out.isatty():
                        print(f"\r{title} … {time.monotonic() - started_s:.0f} s", end="", file=out, flush=True)
        except KeyboardInterrupt:
            process.wait()  # the terminal has told it too
            print(" stopped.", file=out, flush=True)
            return 130
        passed = f"{time.monotonic() - started_s:.0f} s"
        print((f"\r{title} …" if out.isatty() else "") + f" {passed}{'' if code == 0 else ', failed:'}", file=out)
        if code:
            said.seek(0)
            print(said.read().decode(errors="replace"), file=out, end="")
    out.flush()
    return code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:], sys.stderr))
